import type { CheckRequest } from './check.ts'

/** Answers whether a redirect target is one of ours (`rd`). */
export type RedirectRule = (target: string) => boolean

/** Longer ones would not survive the way through the provider's URLs. */
const maxTargetLength = 4096

/** One `whitelist_domains` entry. */
interface AllowedDomain {
  readonly host: string
  readonly withSubdomains: boolean
  /** A number, `*` for any, '' for none written. */
  readonly port: string
}

/**
 * Builds the rule for `rd` (oauth2-proxy pkg/app/redirect/validator.go): a local path, or an absolute URL to a
 * whitelisted domain. Stricter than the original where URL parsers disagree (backslashes, control characters, user
 * info), more lenient in a path's query, which cannot lead anywhere; but not where `isLiteral`.
 */
export function compileRedirectRule(
  whitelistDomains: readonly string[],
  { isLiteral = false }: { isLiteral?: boolean } = {},
): RedirectRule {
  const domains = whitelistDomains.map(parseDomain)
  return (target) => {
    // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what must not reach a Location
    if (target === '' || target.length > maxTargetLength || /[\x00-\x1f\x7f\\]/.test(target)) return false
    if (!target.startsWith('/')) return isAllowedUrl(target, domains)
    return isLocalPath(target) && !(isLiteral && /[/\\](?:[\s\v]*|\.{1,2})[/\\]/.test(target))
  }
}

function isLocalPath(target: string): boolean {
  const [path = ''] = target.split(/[?#]/, 1)
  return !/\/(?:\s*|\.{1,2})\//.test(path)
}

function isAllowedUrl(target: string, domains: readonly AllowedDomain[]): boolean {
  const match = /^https?:\/\/([A-Za-z0-9.-]+|\[[0-9A-Fa-f:.]+\])(?::(\d{1,5}))?(?=[/?#]|$)/.exec(target)
  if (!match || !URL.canParse(target)) return false
  const [, host = '', port = ''] = match
  const name = host.toLowerCase()
  if (new URL(target).hostname !== name) return false
  return domains.some(
    (domain) =>
      domain.host !== '' &&
      (name === domain.host || (domain.withSubdomains && name.endsWith(`.${domain.host}`))) &&
      (domain.port === '*' || domain.port === port),
  )
}

function parseDomain(entry: string): AllowedDomain {
  const match = /^(\*?\.)?(.*?)(?::(\*|\d+))?$/.exec(entry.toLowerCase())
  const [, dot, host = '', port = ''] = match ?? []
  return { host: host === '*' ? '' : host, withSubdomains: dot !== undefined, port }
}

/** A valid target as a `Location` value: nothing but visible ASCII. */
export function locationOf(target: string): string {
  return target.toWellFormed().replace(/[^\x21-\x7e]/gu, encodeURIComponent)
}

/**
 * Where a visitor wants to go (pkg/app/redirect/director.go): the first valid one of the `rd` parameter, the
 * `X-Auth-Request-Redirect` header, the forwarded URL of a trusted proxy, and the request itself; `/` otherwise.
 */
export function redirectTarget(
  { path, host, headers }: CheckRequest,
  {
    rd,
    isValid,
    prefix,
    isTrustedProxy,
  }: { rd: string | null; isValid: RedirectRule; prefix: string; isTrustedProxy: boolean },
): string {
  const withoutOwn = (uri: string) => (uri.startsWith(`${prefix}/`) ? '/' : uri)
  const forwardedHost = headers['x-forwarded-host']
  const asked = withoutOwn((isTrustedProxy && headers['x-forwarded-uri']) || path)
  const forwarded =
    isTrustedProxy && forwardedHost !== undefined && forwardedHost !== host
      ? `${headers['x-forwarded-proto'] ?? ''}://${forwardedHost}${asked}`
      : ''
  const candidates = [rd ?? '', headers['x-auth-request-redirect'] ?? '', forwarded, asked, withoutOwn(path)]
  const target = candidates.find(isValid) ?? '/'
  return target === `${prefix}/sign_in` ? '/' : target // whoever has signed in need not be asked again
}
