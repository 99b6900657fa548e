import { RE2JS } from 're2js'
import { bytesOfText, escapeGoPath, readGoPath, textOfBytes } from './go-path.ts'

/** Compiles a rewrite: takes a target with its query; `undefined` where the pattern does not match. */
export interface Rewrite {
  /** Whether a decoded path is one to be rewritten. */
  matches(decoded: string): boolean
  /** The target to ask for instead; `undefined` where it would leave what the rule names, by `..` or `//`. */
  apply(uri: string): string | undefined
}

/**
 * Compiles `path` and `rewriteTarget` (oauth2-proxy pkg/upstream/rewrite.go): an RE2 pattern over the decoded path and
 * what its matches become, in Go's words (`$1`, `${name}`), with a query of its own after `?`.
 */
export function compileRewrite(pattern: string, target: string): Rewrite {
  const compiled = RE2JS.compile(pattern)
  return {
    matches: (decoded) => compiled.matcher(textOfBytes(decoded)).find(),
    apply(uri) {
      const { path, query } = splitTarget(uri)
      const read = readGoPath(path)
      if (!read) return undefined
      const [newPath = '', ...more] = replaceAll(compiled, textOfBytes(read.decoded), target).split('?')
      const bytes = bytesOfText(newPath.startsWith('/') ? newPath : `/${newPath}`)
      if (/\/(?:\/|\.{1,2}(?:\/|$))/.test(bytes)) return undefined
      // a path that the rule leaves as it is keeps its spelling
      const written = bytes === read.decoded ? read.escaped : escapeGoPath(bytes)
      const rewritten = sortedQuery(query, more.join('?'))
      return rewritten === '' ? written : `${written}?${rewritten}`
    },
  }
}

/** Path and query of a request target. */
export function splitTarget(uri: string): { readonly path: string; readonly query: string } {
  const mark = uri.indexOf('?')
  return mark < 0 ? { path: uri, query: '' } : { path: uri.slice(0, mark), query: uri.slice(mark + 1) }
}

/** Both queries as one, sorted by name as Go writes them (net/url `Values.Encode`). */
function sortedQuery(query: string, more: string): string {
  const pairs = [...new URLSearchParams(query), ...new URLSearchParams(more)]
  return new URLSearchParams(pairs.toSorted(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0))).toString()
}

/** Go's `Regexp.ReplaceAllString`: an empty match right behind another one is none. */
function replaceAll(pattern: RE2JS, text: string, template: string): string {
  const matcher = pattern.matcher(text)
  let result = ''
  let copied = 0
  let lastEnd = 0
  while (matcher.find()) {
    const [start, end] = [matcher.start(), matcher.end()]
    if (end > lastEnd || start === 0) {
      const groupOf = (name: string): string => {
        if (/^\d+$/.test(name)) return Number(name) <= matcher.groupCount() ? (matcher.group(Number(name)) ?? '') : ''
        return name in pattern.namedGroups() ? (matcher.group(name) ?? '') : ''
      }
      result += text.slice(copied, start) + expandTemplate(template, groupOf)
      copied = end
    }
    lastEnd = end
  }
  return result + text.slice(copied)
}

/** Go's `Regexp.Expand`: `$1x` is the group named `1x`, `$$` a dollar. */
function expandTemplate(template: string, groupOf: (name: string) => string): string {
  return template.replace(/\$(?:\$|\{(\w+)\}|(\w+))/g, (whole, braced?: string, bare?: string) => {
    const name = braced ?? bare
    return name === undefined ? whole.slice(1) : groupOf(name)
  })
}
