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

/** Every match is replaced (RE2::GlobalReplace); the replacement writes groups `\0` to `\9` and a backslash `\\`. */
function rewriteByRegex(path: string, { match, rewrite }: NonNullable<Rewrite['regex']>): string {
  const replaced = match
    .matcher(path)
    .replaceAll((...found: unknown[]) =>
      rewrite.replace(/\\([0-9\\])/g, (_, name: string) => (name === '\\' ? name : groupText(found[Number(name)]))),
    )
  return rooted(replaced)
}

function groupText(group: unknown): string {
  return typeof group === 'string' ? group : ''
}

/** Envoy forwards to no path without a leading slash. */
export function rooted(path: string): string {
  return path.startsWith('/') ? path : `/${path}`
}
