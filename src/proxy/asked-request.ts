import type { CheckRequest } from './check.ts'

/** What a server in front says of the request it asks about; `undefined` where it does not, or not in one voice. */
export interface AskedRequest {
  readonly method: string | undefined
  /** With its query. */
  readonly path: string | undefined
}

/**
 * Headers that name the request which is asked about: Traefik, Caddy and oauth2-proxy's documents say `X-Forwarded-…`,
 * ingress-nginx `X-Original-…`.
 */
const pathHeaders = ['x-forwarded-uri', 'x-original-url', 'x-original-uri']
const methodHeaders = ['x-forwarded-method', 'x-original-method']

/**
 * Reads which request a trusted proxy asks about. A server in front sets one of the headers and passes on what a client
 * wrote into the others, so two that differ say nothing.
 */
export function askedRequest({ headers }: Pick<CheckRequest, 'headers'>): AskedRequest {
  return {
    method: agreed(methodHeaders.map((name) => headers[name]?.toUpperCase())),
    path: agreed(pathHeaders.map((name) => headers[name]).map((uri) => (uri === undefined ? uri : pathOf(uri)))),
  }
}

/** The one value that is there; `undefined` for none, and for several that differ. */
function agreed(values: readonly (string | undefined)[]): string | undefined {
  const [first, ...others] = values.filter((value) => value !== undefined)
  return others.every((other) => other === first) ? first || undefined : undefined
}

/** The path of a path or URL; empty for anything else, such as two values one of which a client wrote. */
function pathOf(uri: string): string {
  const match = /^(?:https?:\/\/[^/?#\s]+)?(\/[^\s\p{Cc}]*)?$/u.exec(uri)
  return uri === '' || !match ? '' : (match[1] ?? '/')
}
