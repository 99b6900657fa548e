/** Attributes of a `Set-Cookie`, in the order browsers and Go's net/http write them. */
export interface CookieAttributes {
  readonly path?: string
  readonly domain?: string
  /** Seconds; 0 deletes the cookie, absent makes it a browser-session cookie. */
  readonly maxAgeSeconds?: number
  readonly httpOnly?: boolean
  readonly secure?: boolean
  readonly sameSite?: 'Lax' | 'Strict' | 'None'
}

/** One `Set-Cookie` header value (RFC 6265 §4.1). `value` must already be cookie-safe. */
export function formatSetCookie(name: string, value: string, attributes: CookieAttributes = {}): string {
  const { path, domain, maxAgeSeconds, httpOnly, secure, sameSite } = attributes
  return [
    `${name}=${value}`,
    path === undefined ? '' : `Path=${path}`,
    domain === undefined ? '' : `Domain=${domain}`,
    maxAgeSeconds === undefined ? '' : `Max-Age=${maxAgeSeconds}`,
    httpOnly ? 'HttpOnly' : '',
    secure ? 'Secure' : '',
    sameSite === undefined ? '' : `SameSite=${sameSite}`,
  ]
    .filter((part) => part !== '')
    .join('; ')
}

/** Every `name=value` pair of a `Cookie` header, in order, quotes kept; a name may come more than once. */
export function parseCookies(header: string | null | undefined): (readonly [name: string, value: string])[] {
  if (!header) return []
  const pairs: (readonly [string, string])[] = []
  for (const part of header.split(';')) {
    const equals = part.indexOf('=')
    if (equals > 0) pairs.push([part.slice(0, equals).trim(), part.slice(equals + 1).trim()])
  }
  return pairs
}

/** The first cookie of that name, or `undefined`. */
export function cookieValue(header: string | null | undefined, name: string): string | undefined {
  return parseCookies(header).find(([found]) => found === name)?.[1]
}

/** How many cookies of one name are looked at: a sibling host plants a few, a flood of them is not worth the work. */
const maxNamesakes = 8

/** The values of every cookie of that name, empty ones left out; a sibling host may have planted some of its own. */
export function cookieValues(header: string | null | undefined, name: string): string[] {
  const values = parseCookies(header).flatMap(([found, value]) => (found === name && value !== '' ? [value] : []))
  return [...new Set(values)].slice(0, maxNamesakes)
}

/**
 * The `Cookie` header without the cookies `isDropped` names; `undefined` when none is left. What none of them is in stays
 * as it was sent.
 */
export function withoutCookies(header: string, isDropped: (name: string) => boolean): string | undefined {
  const cookies = parseCookies(header)
  const kept = cookies.filter(([name]) => !isDropped(name))
  if (kept.length === cookies.length) return header
  return kept.length === 0 ? undefined : kept.map(([name, value]) => `${name}=${value}`).join('; ')
}
