/**
 * Whether a path is within a token's paths: each stands for itself and all below it, `/` for everything. `path` is
 * normalised, and may carry a query.
 */
export function isInScope(scope: readonly string[], path: string): boolean {
  const end = path.search(/[?#]/)
  const pathname = end < 0 ? path : path.slice(0, end)
  // What a server behind us might read as another path is in no scope but everything.
  const isPlain = !/%2e|%2f|%5c|\\|\/\.{1,2}(?:\/|$)|\/\//i.test(pathname)
  return scope.some((prefix) => {
    if (prefix === '/') return true
    return isPlain && (pathname === prefix || pathname.startsWith(`${prefix}/`))
  })
}

/** Paths as people write them (`/pipeline/`, `/notebook/ada`), or what is wrong with one of them. */
export function parsePathScope(
  texts: readonly string[],
): { readonly paths: readonly string[] } | { readonly problem: string } {
  const paths = new Set<string>()
  for (const text of texts) {
    const path = text.trim().replace(/\/?\*{0,2}$/, '') || '/'
    if (!/^\/[\w.~!$&'()+,;=:@/-]*$/.test(path) || /\/\/|\/\.{1,2}(?:\/|$)/.test(path)) {
      return { problem: `\`${text}\` is no path; write one like \`/pipeline\`` }
    }
    paths.add(path)
  }
  return { paths: paths.size === 0 ? ['/'] : [...paths] }
}
