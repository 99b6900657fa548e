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

/** RE2's replacement writes groups `\1`; the first match is replaced, as in Envoy. */
function rewriteByRegex(path: string, { match, rewrite }: NonNullable<Rewrite['regex']>): string {
  const replacement = rewrite.replace(/\$/g, '\\$').replace(/\\(\d)/g, '$$$1')
  return rooted(match.matcher(path).replaceAll(replacement))
}

/** Envoy forwards no path without a leading slash. */
function rooted(path: string): string {
  return path.startsWith('/') ? path : `/${path}`
}
