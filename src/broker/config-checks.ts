import type { DocumentPath, Problems, Source } from '../kit/problems.ts'

interface Place {
  readonly source: Source
  readonly problems: Problems
}

/** The members the checks look at; values are as read, so every one may be missing or of another type. */
interface RawConfig {
  readonly enablePasswordDB?: unknown
  readonly staticPasswords?: readonly Item[]
  readonly staticClients?: readonly Item[]
  readonly connectors?: readonly Item[]
  readonly storage?: Item
  readonly web?: Item
  readonly grpc?: Item
  readonly oauth2?: Item
}
type Item = Readonly<Record<string, unknown>>

/**
 * What Dex checks before it starts (dex cmd/dex/config.go `Validate`, serve.go), with its texts, and mistakes it would
 * only show to users: connectors that two share, clients that name a connector or peer nobody knows.
 */
export function checkStartup(value: unknown, { source, problems }: Place): void {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    problems.error(source, [], 'a Dex configuration is a mapping', 'start with `issuer: https://…/dex`')
    return
  }
  const config: RawConfig = value
  const check = (isBad: boolean, path: DocumentPath, message: string, fix?: string) => {
    if (isBad) problems.error(source, path, message, fix)
  }
  checkListeners(config, check)
  checkPasswords(config, check)
  checkClients(config, check)
  checkConnectors(config, check)
}

type Check = (isBad: boolean, path: DocumentPath, message: string, fix?: string) => void

function checkListeners({ storage, web = {}, grpc = {} }: RawConfig, check: Check): void {
  check(!storage?.['type'], [], 'no storage supplied in config file', 'add `storage: {type: memory}`')
  check(!web['http'] && !web['https'], ['web'], 'must supply a HTTP/HTTPS  address to listen on')
  check(has(web, 'https') && !has(web, 'tlsCert'), ['web', 'https'], 'no cert specified for HTTPS')
  check(has(web, 'https') && !has(web, 'tlsKey'), ['web', 'https'], 'no private key specified for HTTPS')
  for (const [name, area] of [
    ['web', web],
    ['grpc', grpc],
  ] as const) {
    const { tlsMinVersion: least, tlsMaxVersion: most } = area
    check(least === '1.3' && most === '1.2', [name, 'tlsMinVersion'], 'TLSMinVersion greater than TLSMaxVersion')
  }
  check((has(grpc, 'tlsCert') || has(grpc, 'tlsKey')) && !has(grpc, 'addr'), ['grpc'], 'no address specified for gRPC')
  check(has(grpc, 'tlsCert') !== has(grpc, 'tlsKey'), ['grpc'], 'must specific both a gRPC TLS cert and key')
  check(
    has(grpc, 'tlsClientCA') && !has(grpc, 'tlsCert'),
    ['grpc', 'tlsClientCA'],
    'cannot specify gRPC TLS client CA without a gRPC TLS cert',
  )
}

function checkPasswords({ enablePasswordDB, staticPasswords }: RawConfig, check: Check): void {
  const passwords = listOf(staticPasswords)
  check(
    enablePasswordDB !== true && passwords.length > 0,
    ['staticPasswords'],
    'cannot specify static passwords without enabling password db',
    'set `enablePasswordDB: true`',
  )
  for (const [index, { userID }] of passwords.entries()) {
    const first = passwords.findIndex((other) => (other['userID'] ?? '') === (userID ?? ''))
    const message = userID
      ? `\`userID\` ${userID} belongs to staticPasswords[${first}] too`
      : 'a password needs a `userID`'
    const isBad = !userID ? passwords.length > 1 : first !== index
    check(isBad, ['staticPasswords', index, 'userID'], message, 'it becomes the `sub` claim, so it must be unique')
  }
  checkUnique(passwords, 'email', 'staticPasswords', check)
}

function checkClients(config: RawConfig, check: Check): void {
  const clients = listOf(config.staticClients)
  const connectorIds = idsOf(config)
  for (const [index, client] of clients.entries()) {
    const path = ['staticClients', index]
    check(
      !client['secret'] && client['public'] !== true,
      path,
      `client ${client['id'] ?? index} needs a \`secret\` or \`secretEnv\``,
      'or `public: true` for an application that cannot keep one',
    )
    for (const [at, id] of listOf(client['allowedConnectors']).entries()) {
      check(!connectorIds.includes(String(id)), [...path, 'allowedConnectors', at], `no connector has the id \`${id}\``)
    }
  }
  checkUnique(clients, 'id', 'staticClients', check)
}

function checkConnectors(config: RawConfig, check: Check): void {
  const connectors = listOf(config.connectors)
  const ids = idsOf(config)
  check(ids.length === 0, [], 'no connectors specified', 'add a connector or `enablePasswordDB: true`')
  for (const [index, connector] of connectors.entries()) {
    check(
      config.enablePasswordDB === true && connector['id'] === 'local',
      ['connectors', index, 'id'],
      'the id `local` belongs to the password db',
    )
  }
  checkUnique(connectors, 'id', 'connectors', check)
  const passwordConnector = config.oauth2?.['passwordConnector']
  check(
    Boolean(passwordConnector) && !ids.includes(String(passwordConnector)),
    ['oauth2', 'passwordConnector'],
    `no connector has the id \`${passwordConnector}\``,
  )
}

function idsOf({ connectors, enablePasswordDB }: RawConfig): string[] {
  return [...listOf(connectors).map(({ id }) => String(id)), ...(enablePasswordDB === true ? ['local'] : [])]
}

function checkUnique(items: readonly Item[], field: string, list: string, check: Check): void {
  const keyOf = (item: Item) => String(item[field] ?? '').toLowerCase()
  for (const [index, item] of items.entries()) {
    const first = items.findIndex((other) => keyOf(other) === keyOf(item))
    const isRepeated = keyOf(item) !== '' && first !== index
    check(isRepeated, [list, index, field], `\`${item[field]}\` is taken by ${list}[${first}]`)
  }
}

function listOf(value: unknown): readonly Item[] {
  return Array.isArray(value) ? value.map((item) => item ?? {}) : []
}

function has(area: Item, key: string): boolean {
  return Boolean(area[key])
}
