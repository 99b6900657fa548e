import type { Client } from './model.ts'

/** Parameters of an authorization response: a redirect URI that carries one already could be mistaken for an answer. */
const responseParameters = [
  'code',
  'state',
  'iss',
  'error',
  'error_description',
  'session_state',
  'access_token',
  'id_token',
]

/**
 * Whether a client may be answered at this URI (Keycloak's RedirectUtils.verifyRedirectUri): compared as text with the
 * registered ones, where a trailing `*` stands for any ending and a loopback address without a port for any port.
 */
export function isRegisteredRedirect(uri: string, client: Client): boolean {
  return isSafeRedirect(uri) && matchesAny(uri, client.redirectUris, client.rootUrl)
}

/** The URI to answer at: the given one if registered; without one, the only one registered if it is exact. */
export function resolveRedirect(uri: string | undefined, client: Client): string | undefined {
  if (uri !== undefined) return isRegisteredRedirect(uri, client) ? uri : undefined
  const [only, ...others] = client.redirectUris
  if (only === undefined || others.length > 0 || only.includes('*')) return undefined
  return absolute(only, client.rootUrl)
}

/** The same for the end of a logout: `post.logout.redirect.uris` (`##` between two), or as `redirectUris` when it is `+` or empty. */
export function isRegisteredLogoutRedirect(uri: string, client: Client): boolean {
  const attribute = client.attributes['post.logout.redirect.uris'] ?? ''
  if (attribute === '-') return false
  const registered = attribute
    .split('##')
    .filter((one) => one !== '')
    .flatMap((one) => (one === '+' ? client.redirectUris : [one]))
  return isSafeRedirect(uri) && matchesAny(uri, attribute === '' ? client.redirectUris : registered, client.rootUrl)
}

/** An absolute URI that every parser reads alike: no script schemes, no characters that some of them drop or turn around. */
function isSafeRedirect(uri: string): boolean {
  if (hasUnsafeCharacter(uri) || !/^[a-z][a-z0-9+.-]*:/i.test(uri)) return false
  if (/^(javascript|data|vbscript|blob|file):/i.test(uri) || !URL.canParse(uri)) return false
  const query = new URLSearchParams(/\?([^#]*)/.exec(uri)?.[1] ?? '')
  return !responseParameters.some((name) => query.has(name))
}

/** Spaces, control characters and backslashes. */
function hasUnsafeCharacter(uri: string): boolean {
  return /[\s\\\p{Cc}]/u.test(uri)
}

function matchesAny(uri: string, registered: readonly string[], rootUrl: string | undefined): boolean {
  return registered.some((entry) => matches(uri, entry === '*' ? '*' : absolute(entry, rootUrl)))
}

function absolute(entry: string, rootUrl: string | undefined): string {
  return entry.startsWith('/') ? `${(rootUrl ?? '').replace(/\/$/, '')}${entry}` : entry
}

function matches(uri: string, entry: string): boolean {
  if (entry === '*') return /^https?:\/\//i.test(uri) && !isTricky(uri)
  if (entry.endsWith('*') && !entry.includes('?')) return matchesPrefix(uri, entry.slice(0, -1))
  return uri === entry || matchesLoopback(uri, entry)
}

function matchesPrefix(uri: string, prefix: string): boolean {
  if (isTricky(uri)) return false
  const bare = uri.replace(/[?#].*$/, '')
  const isInside = bare.startsWith(prefix) || (prefix.endsWith('/') && bare === prefix.slice(0, -1))
  // `http://host*` must not let `http://host.evil.example` in: the authority has to be complete in the prefix.
  return (
    isInside &&
    (/^[a-z][a-z0-9+.-]*:\/\/[^/]+\//i.test(prefix) ||
      authority(prefix) === '' ||
      authority(bare) === authority(prefix))
  )
}

/** User names in the authority and ways out of the prefix, encoded or not. */
function isTricky(uri: string): boolean {
  const bare = uri.replace(/[?#].*$/, '')
  return (
    /^[a-z][a-z0-9+.-]*:\/\/[^/]*@/i.test(bare) ||
    /(^|[/])(\.|%2e){2}([/]|$)/i.test(bare.replaceAll(/%2f|%5c/gi, '/')) ||
    /%25(2e|2f|5c)/i.test(bare)
  )
}

function authority(uri: string): string | undefined {
  return /^[a-z][a-z0-9+.-]*:\/\/([^/]*)/i.exec(uri)?.[1]
}

const loopback = /^(http:\/\/(?:127\.0\.0\.1|\[::1\]|localhost))(:\d{1,5})?(?=[/?#]|$)/

/** RFC 8252 §7.3: a native app listens on whatever port it is given. */
function matchesLoopback(uri: string, entry: string): boolean {
  const [, host, port] = loopback.exec(entry) ?? []
  if (host === undefined || port !== undefined) return false
  const given = loopback.exec(uri)
  return given !== null && given[1] === host && uri.slice(given[0].length) === entry.slice(host.length)
}
