import { clientAddressOf } from '../../src/gateway/client-address.ts'
import type { GatewayConfig } from '../../src/gateway/config.ts'
import { compileHeaderReader, edgeNames, edgePrefixes, joinedNames } from '../../src/gateway/incoming.ts'
import { normalisePath } from '../../src/gateway/normalise-path.ts'
import { parseTarget } from '../../src/gateway/request-target.ts'
import type { Claims, RequestFacts } from '../../src/policy/facts.ts'
import { type CorpusRow, tokenTable } from './read-corpus.ts'

const headerReader = compileHeaderReader(edgeNames, edgePrefixes, { joined: joinedNames })

/** A row as the engine is told of it, its token taken as verified. */
export function factsOf(row: CorpusRow, config: GatewayConfig): RequestFacts | undefined {
  const target = parseTarget(row.path)
  const path = target && normalisePath(target.path, config.meshConfig.pathNormalisation)
  if (path === undefined) return undefined
  const sent = Object.entries(row.headers).flatMap(([name, value]) =>
    [value].flat().flatMap((line) => [name, line.trim()]),
  )
  const bearer = row.token === undefined ? [] : ['authorization', 'Bearer token']
  const headers = headerReader.read(['host', row.host, ...sent, ...bearer])
  return {
    method: row.method,
    path,
    query: target?.query ?? '',
    host: row.host,
    header: (name) => headers?.get(name),
    headerLines: (name) => headers?.all(name) ?? [],
    peerAddress: row.from,
    clientAddress: clientAddressOf(row.from, headers?.get('x-forwarded-for'), {
      trustedProxies: config.meshConfig.numTrustedProxies,
      mode: 'istio',
    }),
    localAddress: '127.0.0.1',
    localPort: 8080,
    serverName: undefined,
    claims: claimsOf(row, config),
  }
}

/** The claims a row's token has once verified; `undefined` where nothing on this gateway verifies tokens. */
function claimsOf({ token }: CorpusRow, { requestAuthentications }: GatewayConfig): Claims | undefined {
  const entry = token === undefined ? undefined : tokenTable[token]
  if (!entry || !('claims' in entry) || !readsBearer(requestAuthentications)) return undefined
  const split = requestAuthentications.flatMap(({ jwtRules }) =>
    jwtRules.flatMap((rule) => (rule.issuer === entry.claims['iss'] ? rule.spaceDelimitedClaims : [])),
  )
  const lists = ['scope', 'permission', ...split].flatMap((name) => {
    const value = entry.claims[name]
    return typeof value === 'string' ? [[name, value.split(' ')]] : []
  })
  return { ...entry.claims, ...Object.fromEntries(lists) }
}

function readsBearer(authentications: GatewayConfig['requestAuthentications']): boolean {
  const rules = authentications.flatMap(({ jwtRules }) => jwtRules)
  return rules.some(({ fromHeaders, fromParams, fromCookies }) => {
    const isDefault = fromHeaders.length + fromParams.length + fromCookies.length === 0
    return isDefault || fromHeaders.some(({ name }) => name === 'authorization')
  })
}

/**
 * What a row says of the policies alone: `undefined` where its answer comes from elsewhere (a token refused, a token
 * outside `Authorization: Bearer`, a provider's answer relayed).
 */
export function policyVerdictOf(row: CorpusRow): 'allowed' | 'refused' | 'by-provider' | undefined {
  if (/\{token:/.test(JSON.stringify([row.path, row.headers]))) return undefined
  if (row.method === 'OPTIONS' && 'origin' in row.headers) return undefined
  if ('x-ext-authz-status' in row.headers) return 'by-provider'
  if (row.status === 200) return 'allowed'
  if (row.status !== 403 || row.body?.startsWith('Audiences')) return undefined
  return row.body?.startsWith('denied by ext_authz') ? 'by-provider' : 'refused'
}
