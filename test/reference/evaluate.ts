import { addressMatches, bitsOf, pathMatches, presentMatches, principalMatches, textMatches } from './text.ts'

/** A request, its path normalised and its token verified. */
export interface ReferenceRequest {
  readonly method: string
  readonly path: string
  /** `?a=b`, or empty. */
  readonly query: string
  readonly host: string
  /** Lines, names in lower case. */
  readonly headers: readonly (readonly [string, string])[]
  readonly peer: string
  readonly trustedProxies: number
  readonly port: string
  readonly claims: Readonly<Record<string, unknown>> | undefined
}

type Values = readonly string[]
type Fields = Readonly<Record<string, Values>>
interface ReferenceRule {
  readonly from?: readonly { readonly source: Fields }[]
  readonly to?: readonly { readonly operation: Fields }[]
  readonly when?: readonly { readonly key: string; readonly values?: Values; readonly notValues?: Values }[]
}

/** A policy of the gateway, as its YAML says. */
export interface ReferencePolicy {
  readonly spec: { readonly action?: string; readonly rules?: readonly ReferenceRule[] }
}

/** `ask`: a CUSTOM rule matched and nothing refuses once the provider allows. */
export function evaluate(policies: readonly ReferencePolicy[], request: ReferenceRequest): 'ask' | 'deny' | 'allow' {
  const of = (action: string) => policies.filter(({ spec }) => (spec.action ?? 'ALLOW') === action)
  const matches = (policy: ReferencePolicy) => (policy.spec.rules ?? []).some((rule) => ruleMatches(rule, request))
  if (of('DENY').some(matches)) return 'deny'
  if (of('ALLOW').length > 0 && !of('ALLOW').some(matches)) return 'deny'
  return of('CUSTOM').some(matches) ? 'ask' : 'allow'
}

function ruleMatches({ from, to, when }: ReferenceRule, request: ReferenceRequest): boolean {
  const source = from === undefined || from.some(({ source: fields }) => fieldsMatch(fields, request))
  const operation = to === undefined || to.some(({ operation: fields }) => fieldsMatch(fields, request))
  const conditions = (when ?? []).every(({ key, values, notValues }) => {
    const positive = values === undefined || values.some((value) => valueMatches(key, value, request))
    const negative = notValues?.some((value) => valueMatches(key, value, request)) ?? false
    return positive && !negative
  })
  return source && operation && conditions
}

function fieldsMatch(fields: Fields, request: ReferenceRequest): boolean {
  return Object.entries(fields).every(([name, values]) => {
    const isNegated = /^not[A-Z]/.test(name)
    const field = isNegated ? name.charAt(3).toLowerCase() + name.slice(4) : name
    const isMatch = values.some((value) => valueMatches(field, value, request))
    return isNegated ? !isMatch : isMatch
  })
}

function valueMatches(field: string, value: string, request: ReferenceRequest): boolean {
  const header = /^request\.headers\[(.+)\]$/.exec(field)?.[1]?.toLowerCase()
  if (header !== undefined) return linesOf(header, request).some((line) => presentMatches(value, line))
  if (field.startsWith('request.auth.claims')) {
    const path = field.slice('request.auth.claims['.length, -1).split('][')
    return claimMatches(value, path, request.claims)
  }
  switch (field) {
    case 'paths':
      return pathMatches(value, request.path)
    case 'methods':
      return presentMatches(value, request.method)
    case 'hosts':
      return presentMatches(value.toLowerCase(), request.host.toLowerCase())
    case 'ports':
    case 'destination.port':
      return value === request.port
    case 'ipBlocks':
    case 'source.ip':
      return addressMatches(value, request.peer)
    case 'remoteIpBlocks':
    case 'remote.ip':
      return addressMatches(value, remoteAddress(request))
    case 'requestPrincipals':
    case 'request.auth.principal':
      return principalMatches(value, request.claims?.['iss'], request.claims?.['sub'])
    case 'request.auth.audiences':
      return claimMatches(value, ['aud'], request.claims)
    case 'request.auth.presenter':
      return claimMatches(value, ['azp'], request.claims)
    case 'destination.ip':
      return addressMatches(value, '127.0.0.1')
    case 'principals':
    case 'namespaces':
    case 'trustDomains':
    case 'source.principal':
    case 'source.namespace':
    case 'source.trustDomain':
    case 'connection.sni':
      return false // nobody shows a client certificate here, or speaks TLS at all
    default:
      throw new Error(`the reference does not know ${field}`)
  }
}

/** The lines of a header; some are no lines of their own on the wire. */
function linesOf(header: string, { headers, host, method, path, query }: ReferenceRequest): readonly string[] {
  if (header === 'host' || header === ':authority') return [host]
  if (header === ':method') return [method]
  if (header === ':path') return [path + query]
  return headers.filter(([name]) => name === header).map(([, line]) => line)
}

function claimMatches(pattern: string, path: readonly string[], claims: unknown): boolean {
  let value = claims
  for (const name of path) {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return false
    value = (value as Record<string, unknown>)[name]
  }
  const texts = Array.isArray(value) ? value : [value]
  return texts.some((text) => typeof text === 'string' && textMatches(pattern, text))
}

/** With N trusted proxies the Nth entry of X-Forwarded-For from the right, where it is an address; else the peer. */
function remoteAddress({ headers, peer, trustedProxies }: ReferenceRequest): string {
  const lines = headers.filter(([name]) => name === 'x-forwarded-for').map(([, line]) => line)
  const entries = lines
    .filter((line) => line !== '')
    .join(',')
    .split(',')
    .map((entry) => entry.trim())
  const entry = trustedProxies === 0 ? undefined : entries[entries.length - trustedProxies]
  return entry !== undefined && bitsOf(entry) !== undefined ? entry : peer
}
