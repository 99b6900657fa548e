import { RE2JS } from 're2js'

/** `[METHOD][!]=regex` or `regex` (oauth2-proxy oauthproxy.go `buildRoutesAllowlist`), not compiled yet. */
export interface RouteRule {
  /** Upper-case; empty means every method. */
  readonly method: string
  readonly negated: boolean
  readonly regex: string
}

/**
 * Takes a `skip_auth_routes` entry apart. The original splits at the first `=` or `!=` anywhere, so a regex with `=` is
 * misread there; here only what can be a method stands before it.
 */
export function parseRouteRule(rule: string): RouteRule {
  const match = /^([A-Za-z]*)(!?)=(.*)$/s.exec(rule)
  if (!match) return { method: '', negated: false, regex: rule }
  const [, method = '', mark = '', regex = ''] = match
  return { method: method.toUpperCase(), negated: mark === '!', regex }
}

/** Whether a request's method and path are exempt from sign-in. */
export type RouteMatcher = (method: string, path: string) => boolean

/** Compiles `skip_auth_routes` and `skip_auth_regex`: unanchored RE2, judged on the path without its query. */
export function compileSkipRoutes(routes: readonly string[], regexes: readonly string[]): RouteMatcher {
  const rules = [...routes.map(parseRouteRule), ...regexes.map((regex) => ({ method: '', negated: false, regex }))].map(
    ({ method, negated, regex }) => ({ method, negated, pattern: RE2JS.compile(regex) }),
  )
  return (method, path) => {
    if (rules.length === 0) return false
    const judged = judgedPath(path)
    if (judged === undefined) return false
    return rules.some(
      (rule) =>
        (rule.method === '' || rule.method === method) &&
        rule.pattern.matcher(judged.raw).find() !== rule.negated &&
        rule.pattern.matcher(judged.normal).find() !== rule.negated,
    )
  }
}

/** Compiles `api_routes`: unanchored RE2 over the whole URI with its query. */
export function compileApiRoutes(regexes: readonly string[]): (uri: string) => boolean {
  const patterns = regexes.map((regex) => RE2JS.compile(regex))
  return (uri) => patterns.some((pattern) => pattern.matcher(uri).find())
}

/**
 * The path a skip rule may be judged on: as sent and as an upstream would resolve it; a rule must hold for both
 * (CVE-2025-54576, CVE-2026-41059). `undefined` where upstreams read the path differently, so no rule may hold.
 */
function judgedPath(uri: string): { readonly raw: string; readonly normal: string } | undefined {
  const end = uri.search(/[?#]/)
  const raw = end < 0 ? uri : uri.slice(0, end)
  if (uri.includes('#') || /[\\\0-\x20\x7f]|%(?:00|0a|0d|23|2f|3f|5c|25)/i.test(raw)) return undefined
  let decoded: string
  try {
    decoded = decodeURIComponent(raw)
  } catch {
    return undefined
  }
  return { raw, normal: resolveDots(decoded) }
}

function resolveDots(path: string): string {
  const kept: string[] = []
  const segments = path.split('/')
  for (const withParameters of segments) {
    const [segment] = withParameters.split(';') // Tomcat and its like read `..;x` as `..`
    if (segment === '..') kept.pop()
    else if (segment && segment !== '.') kept.push(segment)
  }
  const last = segments.at(-1)
  const isDirectory = last === '' || last === '.' || last === '..'
  return `/${kept.join('/')}${isDirectory && kept.length > 0 ? '/' : ''}`
}
