/**
 * Whether a path is within a token's paths: each stands for itself and all below it, `/` for everything. `path` is
 * normalised, and may carry a query.
 */
export function isInScope(scope: readonly string[], path: string): boolean {
  const end = path.search(/[?#]/)
  const pathname = end < 0 ? path : path.slice(0, end)
  const isPlain = hasOneReading(pathname)
  return scope.some((prefix) => {
    if (prefix === '/') return true
    return isPlain && (pathname === prefix || pathname.startsWith(`${prefix}/`))
  })
}

/**
 * Whether every server behind us reads a path alike; one that some would take for another is in no scope but everything.
 * `..;x` is `..` to Tomcat and its like, an overlong or truncated escape is a dot or a slash to lenient decoders.
 */
function hasOneReading(pathname: string): boolean {
  try {
    const decoded = decodeURIComponent(pathname)
    const isSame = decoded.split('/').length === pathname.split('/').length
    // biome-ignore lint/suspicious/noControlCharactersInRegex: some servers cut a path there
    return isSame && !/[\x00-\x1f\x7f\\%?#]|\/\/|\/\.{1,2}(?:[/;]|$)/.test(decoded)
  } catch {
    return false // no UTF-8
  }
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
