import type { Matcher } from 're2js'
import type { Route } from './routes.ts'
import type { Rewrite } from './virtual-service.ts'

/** The path a route forwards to: the matched prefix (or the whole path) replaced, as VirtualService `rewrite` says. */
export function rewritePath(path: string, route: Route, rewrite: Rewrite | undefined): string {
  if (rewrite?.regex) return rewriteByRegex(path, rewrite.regex)
  if (rewrite?.uri === undefined) return path
  const uri = route.match?.uri
  if (uri?.kind === 'prefix') return rooted(rewrite.uri + path.slice(uri.text.length))
  return uri?.kind === 'exact' ? rooted(rewrite.uri) : rooted(rewrite.uri + (uri ? '' : path.slice(1)))
}

/**
 * Every match is replaced, but for an empty one where the last has just ended (RE2::GlobalReplace); the replacement writes
 * groups `\0` to `\9` and a backslash `\\`.
 */
function rewriteByRegex(path: string, { match, rewrite }: NonNullable<Rewrite['regex']>): string {
  const matcher = match.matcher(path)
  let out = ''
  let end = -1
  while (matcher.find()) {
    const [from, to] = [matcher.start(), matcher.end()]
    if (from === end && to === end) continue
    const groups = (_: string, name: string) => (name === '\\' ? name : groupText(matcher, Number(name)))
    out += path.slice(Math.max(end, 0), from) + rewrite.replace(/\\([0-9\\])/g, groups)
    end = to
  }
  return rooted(out + path.slice(Math.max(end, 0)))
}

/** A group the pattern has but the path did not need is empty. */
function groupText(matcher: Matcher, group: number): string {
  return (group <= matcher.groupCount() ? matcher.group(group) : undefined) ?? ''
}

/** Envoy forwards to no path without a leading slash. */
export function rooted(path: string): string {
  return path.startsWith('/') ? path : `/${path}`
}
