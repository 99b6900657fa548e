import { homedir } from 'node:os'
import { clientFiles, readLogin, removeClientFiles } from '../app/client-files.ts'
import type { TerminalLogin } from '../app/terminal-login.ts'
import { whyUnreachable } from '../app/why-unreachable.ts'
import { GatehouseError } from '../kit/errors.ts'
import type { Command, CommandInput } from './command.ts'
import { platformUrl } from './platform-url.ts'
import { print, style } from './terminal.ts'

/** A token as the platform lists it. */
interface ListedToken {
  readonly id: string
  readonly label: string
  readonly paths: readonly string[]
  readonly expires: string
  readonly used?: string
}

const actions: Readonly<Record<string, (input: CommandInput, values: readonly string[]) => Promise<void>>> = {
  list: listTokens,
  revoke: revokeToken,
}

/** `gatehouse tokens` */
export const tokens: Command = {
  usage: 'list URL | revoke URL [ID]',
  summary: 'list and revoke your personal access tokens at a platform',
  options: {
    prefix: { type: 'string', value: 'PATH', help: 'where the proxy’s own pages are (default /oauth2)' },
    json: { type: 'boolean', help: 'list: as JSON' },
  },
  details: [
    '  Uses the token gatehouse login got. revoke without an ID revokes that one and removes the files written with it.',
    '  New tokens are made by gatehouse login, or in a browser at URL/oauth2/tokens.',
  ].join('\n'),
  async run(input) {
    const [name = '', ...values] = input.positionals
    const action = Object.hasOwn(actions, name) ? actions[name] : undefined
    if (!action)
      throw new GatehouseError('usage', 'write: gatehouse tokens list URL, or gatehouse tokens revoke URL [ID]')
    await action(input, values)
    return 0
  },
}

async function listTokens(input: CommandInput, values: readonly string[]): Promise<void> {
  const { found } = await load(input, platformUrl(values, 'gatehouse tokens list URL'))
  if (input.options['json'] === true) return print(JSON.stringify(found, null, 2))
  const width = Math.max(...found.map(({ label }) => label.length))
  for (const { id, label, paths, expires, used } of found) {
    const use = used === undefined ? 'never used' : `used ${used.slice(0, 10)}`
    const where = paths.includes('/') ? 'everything' : paths.join(' ')
    print(`${id}  ${style.bold(label.padEnd(width))}  ${where}  ${style.dim(`until ${expires.slice(0, 10)}, ${use}`)}`)
  }
}

/** Without an id: the one this terminal holds, which is the only one it can tell apart by trying. */
async function revokeToken(input: CommandInput, values: readonly string[]): Promise<void> {
  const url = platformUrl(values.slice(0, 1), 'gatehouse tokens revoke URL [ID]')
  const { login, found, base } = await load(input, url)
  const id = values[1] ?? login.id
  const listed = found.find((token) => token.id === id)
  if (!listed) throw new GatehouseError('tokens', `you have no token \`${id}\` at ${url}`)
  await ask(base, login, new URLSearchParams({ revoke: listed.id }))
  if (listed.id === login.id) removeClientFiles(clientFiles(homedir(), url))
  print(`${style.good('✓')} ${listed.label} is revoked`)
}

async function load({ options }: CommandInput, url: string) {
  const login = readLogin(clientFiles(homedir(), url))
  const base = `${url}${String(options['prefix'] ?? '/oauth2')}/tokens`
  return { login, base, found: (await ask(base, login)) as readonly ListedToken[] }
}

async function ask(base: string, { cookieName, token }: TerminalLogin, form?: URLSearchParams): Promise<unknown> {
  const headers = {
    accept: 'application/json',
    cookie: `${cookieName}=${token}`,
    ...(form ? { 'content-type': 'application/x-www-form-urlencoded' } : {}),
  }
  const sent = { headers, redirect: 'manual' as const, ...(form ? { method: 'POST', body: form.toString() } : {}) }
  const response = await fetch(base, sent).catch((cause: unknown) => {
    throw new GatehouseError('tokens', `\`${base}\` cannot be reached${whyUnreachable(cause)}`, { cause })
  })
  if (response.ok) return response.json()
  throw new GatehouseError(
    'tokens',
    response.status === 401
      ? 'the token has ended or was revoked; run gatehouse login'
      : `\`${base}\` answered ${response.status}`,
  )
}
