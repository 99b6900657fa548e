import type { JwtRule } from '../policy/request-authentication.ts'
import type { GatewayMode } from './gateway-mode.ts'
import type { HeaderList } from './header-list.ts'

/** A place in the request where a token may be. */
export type TokenLocation =
  | { readonly kind: 'header'; readonly name: string; readonly prefix: string }
  | { readonly kind: 'param' | 'cookie'; readonly name: string }

/** A token as found, not verified. */
export interface FoundToken {
  readonly text: string
  readonly location: TokenLocation
}

/** What tokens are looked for in. */
export interface TokenSource {
  readonly headers: HeaderList
  /** `?a=b`, or empty. */
  readonly query: string
}

const defaults: readonly TokenLocation[] = [
  { kind: 'header', name: 'authorization', prefix: 'Bearer ' },
  { kind: 'param', name: 'access_token' },
]

/** Where a rule looks: what it names, or else `Authorization: Bearer` and `access_token`; in Envoy's order. */
export function locationsOf({ fromHeaders, fromParams, fromCookies }: JwtRule): readonly TokenLocation[] {
  if (fromHeaders.length + fromParams.length + fromCookies.length === 0) return defaults
  const byKey = (a: { name: string; prefix?: string }, b: { name: string; prefix?: string }) =>
    a.name + (a.prefix ?? '') < b.name + (b.prefix ?? '') ? -1 : 1
  return [
    ...fromHeaders.toSorted(byKey).map(({ name, prefix }) => ({ kind: 'header' as const, name, prefix })),
    ...fromParams.toSorted().map((name) => ({ kind: 'param' as const, name })),
    ...fromCookies.toSorted().map((name) => ({ kind: 'cookie' as const, name })),
  ]
}

/** Every token at these locations; a repeated header is one value to Envoy, joined (Envoy jwt_authn/extractor.cc). */
export function findTokens(locations: readonly TokenLocation[], source: TokenSource, mode: GatewayMode): FoundToken[] {
  const found: FoundToken[] = []
  for (const location of locations) {
    if (location.kind === 'header') {
      const joined = mode === 'istio' ? source.headers.get(location.name) : undefined
      for (const value of joined === undefined ? source.headers.all(location.name) : [joined]) {
        const text = tokenIn(value, location.prefix, mode)
        if (text !== undefined) found.push({ text, location })
      }
    } else {
      const text =
        location.kind === 'param'
          ? paramValue(source.query, location.name, mode)
          : cookieOf(source, location.name, mode)
      if (text !== undefined) found.push({ text, location })
    }
  }
  return found
}

/**
 * Envoy looks for the prefix anywhere in the value, case-sensitive, and takes what follows. Natively the value must
 * start with it, and its case does not matter (RFC 9110 §11.1: schemes are case-insensitive).
 */
function tokenIn(value: string, prefix: string, mode: GatewayMode): string | undefined {
  if (prefix === '') return value
  if (mode === 'native') {
    if (value.slice(0, prefix.length).toLowerCase() !== prefix.toLowerCase()) return undefined
    return value.slice(prefix.length).trim()
  }
  const at = value.indexOf(prefix)
  if (at < 0) return undefined
  const start = value.slice(at + prefix.length).search(/[\w.-]/)
  return start < 0 ? value : value.slice(at + prefix.length + start)
}

function paramValue(query: string, name: string, mode: GatewayMode): string | undefined {
  if (query === '') return undefined
  if (mode === 'istio') return decodedParams(query).find(([one]) => one === name)?.[1]
  return new URLSearchParams(query).get(name) ?? undefined
}

/** Envoy takes a cookie as it is written: no blank before `=` belongs to nobody, one behind it is the value's. */
function cookieOf({ headers }: TokenSource, name: string, mode: GatewayMode): string | undefined {
  for (const part of (headers.get('cookie') ?? '').split(';')) {
    const equals = part.indexOf('=')
    const [left, right] = [part.slice(0, equals).trimStart(), part.slice(equals + 1).trimEnd()]
    if (equals <= 0 || (mode === 'istio' ? left : left.trimEnd()) !== name) continue
    return unquoted(mode === 'istio' ? right : right.trimStart())
  }
  return undefined
}

function unquoted(value: string): string {
  return value.length > 1 && value.startsWith('"') && value.endsWith('"') ? value.slice(1, -1) : value
}

/** Takes a verified token out of the request. @returns the query that is left; a cookie stays. */
export function removeToken({ headers, query }: TokenSource, { kind, name }: TokenLocation, mode: GatewayMode): string {
  if (kind === 'header') headers.remove(name)
  if (kind !== 'param') return query
  return mode === 'istio' ? rewrittenWithout(query, name) : withoutParam(query, name)
}

/** What is left keeps its spelling. */
function withoutParam(query: string, name: string): string {
  const kept = query
    .slice(1)
    .split('&')
    .filter((pair) => new URLSearchParams(pair).get(name) === null)
  return kept.length === 0 ? '' : `?${kept.join('&')}`
}

/** Envoy writes what is left anew, decoded and sorted by name (`QueryParamsMulti::replaceQueryString`). */
function rewrittenWithout(query: string, name: string): string {
  const kept = decodedParams(query).filter(([one]) => one !== name)
  const sorted = kept.toSorted(([one], [other]) => (one < other ? -1 : one > other ? 1 : 0))
  return kept.length === 0
    ? ''
    : `?${sorted.map(([one, value]) => `${one}=${value.replace(unsafe, encoded)}`).join('&')}`
}

/** What would end the request line; Envoy sends it so, and the app refuses the request. */
const unsafe = /[^!-~]/g

function encoded(character: string): string {
  return `%${character.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`
}

/** The parameters of a query, `%XX` decoded as bytes and nothing else (Envoy `parseAndDecodeQueryString`). */
function decodedParams(query: string): (readonly [name: string, value: string])[] {
  const bare = query.endsWith('&') ? query.slice(1, -1) : query.slice(1)
  return bare.split('&').map((part) => {
    const equals = part.indexOf('=')
    return equals < 0 ? [bytesOf(part), ''] : [bytesOf(part.slice(0, equals)), bytesOf(part.slice(equals + 1))]
  })
}

function bytesOf(text: string): string {
  return text.replace(/%([0-9a-f]{2})/gi, (_, code: string) => String.fromCharCode(Number.parseInt(code, 16)))
}
