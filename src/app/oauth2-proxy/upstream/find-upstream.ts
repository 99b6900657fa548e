import type { AlphaOptions, UpstreamOptions } from '../../../proxy/alpha/alpha-options.ts'
import { bytesOfText, cleanGoPath, escapeGoPath, readGoPath } from './go-path.ts'
import { compileRewrite, splitTarget } from './rewrite-target.ts'

/** What is at a path. */
export type Place =
  | {
      readonly kind: 'upstream'
      readonly upstream: UpstreamOptions
      /** Path and query it is asked for. */
      readonly target: string
    }
  /** The same in another spelling. */
  | { readonly kind: 'redirect'; readonly location: string }
  | { readonly kind: 'nothing' }
  | { readonly kind: 'malformed' }

interface Candidate {
  readonly upstream: UpstreamOptions
  matches(path: PathForms): boolean
  targetOf(uri: string): string | undefined
}

interface PathForms {
  readonly decoded: string
  /** What plain paths are compared with: decoded, or as sent with `proxyRawPath`. */
  readonly compared: string
}

/**
 * Compiles where requests go (oauth2-proxy pkg/upstream/proxy.go): rewrites first, then the longest path; one that ends
 * in `/` is a prefix, any other the whole path. A path that is not clean once decoded is redirected to its clean form,
 * unless `proxyRawPath`; one that only lacks its last slash to the form with it.
 */
export function compileUpstreamPaths(config: AlphaOptions['upstreamConfig']): (uri: string) => Place {
  const { proxyRawPath, upstreams } = config
  const candidates = upstreams.toSorted(byPrecedence).map(compileCandidate)
  const find = (path: PathForms) => candidates.find((one) => one.matches(path))
  const forms = (decoded: string, escaped: string) => ({ decoded, compared: proxyRawPath ? escaped : decoded })

  return (uri) => {
    const { path, query } = splitTarget(uri)
    const read = readGoPath(path)
    if (!read) return { kind: 'malformed' }
    const { decoded, escaped } = read
    const more = uri.slice(path.length)
    const clean = proxyRawPath ? decoded : cleanGoPath(decoded)
    if (clean !== decoded) return { kind: 'redirect', location: escapeGoPath(clean) + more }
    const found = find(forms(decoded, escaped))
    if (found) {
      const target = found.targetOf(uri)
      return target === undefined ? { kind: 'malformed' } : { kind: 'upstream', upstream: found.upstream, target }
    }
    const slashed = forms(`${decoded}/`, `${escaped}/`)
    if (decoded.endsWith('/') || !find(slashed)) return { kind: 'nothing' }
    return { kind: 'redirect', location: `${escaped}/${query === '' ? '' : `?${query}`}` }
  }
}

/** Where a path that is not clean as it was sent leads; `undefined` for a clean one. Escapes are not looked behind. */
export function cleanLocation(uri: string): string | undefined {
  if (!/\/(?:\/|\.)/.test(uri)) return undefined
  const { path } = splitTarget(uri)
  const escaped = readGoPath(path)?.escaped ?? path
  const clean = cleanGoPath(escaped)
  return clean === escaped ? undefined : clean + uri.slice(path.length)
}

function byPrecedence(a: UpstreamOptions, b: UpstreamOptions): number {
  const isRewrite = ({ rewriteTarget }: UpstreamOptions) => Number(rewriteTarget !== '')
  return isRewrite(b) - isRewrite(a) || bytesOfText(b.path).length - bytesOfText(a.path).length
}

function compileCandidate(upstream: UpstreamOptions): Candidate {
  if (upstream.rewriteTarget !== '') {
    const rewrite = compileRewrite(upstream.path, upstream.rewriteTarget)
    return { upstream, matches: ({ decoded }) => rewrite.matches(decoded), targetOf: rewrite.apply }
  }
  const place = bytesOfText(upstream.path)
  const matches = place.endsWith('/')
    ? ({ compared }: PathForms) => compared.startsWith(place)
    : ({ compared }: PathForms) => compared === place
  return { upstream, matches, targetOf: (uri) => uri }
}
