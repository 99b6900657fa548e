const one = '{*}'
const many = '{**}'

/** RFC 3986 pchar without `*`: what a template may say of itself (Istio pkg/config/security). */
const templateCharacter = /^[a-zA-Z0-9\-._~%!$&'()+,;:@=]*$/
/** What an operator matches: pchar, `*` too (Envoy source/extensions/path/uri_template_lib; recorded from 1.37). */
const literalCharacter = /^[a-zA-Z0-9\-._~%!$&'()+,;:@=*]*$/
const literalOrSlash = /^[a-zA-Z0-9\-._~%!$&'()+,;:@=*/]*$/

/** Whether Istio reads this path as an Envoy uri_template rather than as a string match. */
export function isPathTemplate(path: string): boolean {
  return path.includes(one) || path.includes(many)
}

/** Why this is no path template (Istio pkg/config/security `CheckValidPathTemplate`), or `undefined`. */
export function pathTemplateMistake(template: string): string | undefined {
  if (!template.startsWith('/')) return 'a path template must start with `/`'
  let hasMany = false
  for (const segment of trimSlashes(template).split('/')) {
    if (segment === one || segment === many) {
      if (hasMany) return `\`${many}\` must be the last operator of a path template`
      hasMany = segment === many
    } else if (segment.includes('{') || segment.includes('}')) {
      return `\`${segment}\` has a brace outside of \`${one}\` and \`${many}\`, which stand for whole segments`
    } else if (segment === '' || !templateCharacter.test(segment)) {
      return `\`${segment}\` is no literal path segment`
    }
  }
  return undefined
}

/**
 * Compiles a template: `{*}` is one segment that is not empty, `{**}` any text, `/` included and possibly none. Runs in
 * linear time: every operator but the last stands for one whole segment, so nothing is ever tried twice.
 */
export function compilePathTemplate(template: string): (path: string) => boolean {
  const at = template.indexOf(many)
  if (at < 0) {
    const segments = template.split('/')
    return (path) => matchSegments(segments, path) === path.length
  }
  const head = template.slice(0, at).split('/').slice(0, -1)
  const tail = template.slice(at + many.length)
  return (path) => {
    const end = matchSegments(head, path)
    if (end < 0 || path[end] !== '/') return false
    const rest = path.slice(end + 1)
    return rest.endsWith(tail) && literalOrSlash.test(rest.slice(0, rest.length - tail.length))
  }
}

/** Where the first segments of `path` end when they match, else -1. */
function matchSegments(segments: readonly string[], path: string): number {
  let start = 0
  let end = 0
  for (const [index, segment] of segments.entries()) {
    if (index > 0) {
      if (path[end] !== '/') return -1
      start = end + 1
    }
    const slash = path.indexOf('/', start)
    end = slash < 0 ? path.length : slash
    const text = path.slice(start, end)
    if (segment === one ? text === '' || !literalCharacter.test(text) : text !== segment) return -1
  }
  return end
}

function trimSlashes(text: string): string {
  return text.replace(/^\/+|\/+$/g, '')
}
