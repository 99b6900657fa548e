/** A request's target taken apart by hand: no `URL` on the hot path. */
export interface RequestTarget {
  readonly path: string
  /** `?a=b`, or empty. */
  readonly query: string
  /** The authority of an absolute-form target, which outranks `Host` (RFC 9112 §3.2.2). */
  readonly authority: string | undefined
}

/** Splits origin-form and absolute-form targets, dropping the fragment; `undefined` for other forms. */
export function parseTarget(target: string): RequestTarget | undefined {
  const hash = target.indexOf('#')
  const bare = hash < 0 ? target : target.slice(0, hash)
  if (bare.charCodeAt(0) === 47) return splitQuery(bare, undefined)
  const scheme = /^https?:\/\//i.exec(bare)?.[0]
  if (scheme === undefined) return undefined
  const rest = bare.slice(scheme.length)
  const end = rest.search(/[/?]/)
  const authority = end < 0 ? rest : rest.slice(0, end)
  if (authority === '' || authority.includes('@')) return undefined
  const path = end < 0 ? '/' : rest.slice(end)
  return splitQuery(path.startsWith('?') ? `/${path}` : path, authority)
}

function splitQuery(text: string, authority: string | undefined): RequestTarget {
  const mark = text.indexOf('?')
  return mark < 0
    ? { path: text, query: '', authority }
    : { path: text.slice(0, mark), query: text.slice(mark), authority }
}

/** `host`, `host:port`, `[v6]:port`; nothing that could end a header or a quoted text. */
export function isAuthority(text: string): boolean {
  return /^(?:\[[0-9a-fA-F:.]+\]|[A-Za-z0-9._~!$&'()*+,;=%-]+)(?::\d{0,5})?$/.test(text)
}
