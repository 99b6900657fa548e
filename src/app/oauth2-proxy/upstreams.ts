import type { IncomingMessage, ServerResponse } from 'node:http'
import type { AlphaOptions, UpstreamOptions } from '../../proxy/alpha/alpha-options.ts'
import type { CheckAnswer } from '../../proxy/check.ts'
import { writeAnswer } from '../../proxy/transports/ext-authz-http.ts'

/** A request that may pass, and what the check allows it with. */
export interface AllowedRequest {
  readonly request: IncomingMessage
  readonly response: ServerResponse
  readonly path: string
  /** Its headers are those of the answer to the browser. */
  readonly allowed: CheckAnswer
}

/** How a request was answered behind the proxy. */
export interface Served {
  /** Id of the upstream; empty where none is at the path. */
  readonly upstream: string
  readonly status: number
  /** Bytes of the body. */
  readonly size: number
}

/** What stands behind the proxy. */
export interface Upstreams {
  /** Answers a request that may pass; `done` is told when it has been answered. */
  serve(allowed: AllowedRequest, done: (served: Served) => void): void
}

/**
 * Opens the upstreams of a configuration: `static://` ones answer with their status. No other kind is offered yet; the
 * configuration is refused where it names one.
 */
export function openUpstreams({ upstreams }: AlphaOptions['upstreamConfig']): Upstreams {
  const byLength = upstreams.toSorted((a, b) => b.path.length - a.path.length)
  return {
    serve({ response, path, allowed }, done) {
      const upstream = byLength.find((one) => isAt(one, path))
      const answer = upstream ? staticAnswer(upstream, allowed) : notFound(allowed)
      writeAnswer(response, answer)
      done({ upstream: upstream?.id ?? '', status: answer.status, size: Buffer.byteLength(answer.body) })
    },
  }
}

/** A path that ends in a slash is a prefix, any other is the whole path. */
function isAt({ path: place }: UpstreamOptions, path: string): boolean {
  if (place === '/') return true
  const mark = path.indexOf('?')
  const pathname = mark < 0 ? path : path.slice(0, mark)
  return place.endsWith('/') ? pathname.startsWith(place) : pathname === place
}

function staticAnswer({ staticCode: status }: UpstreamOptions, allowed: CheckAnswer): CheckAnswer {
  if (status === 200) return allowed
  const hasBody = status >= 200 && status !== 204 && status !== 304
  return { ...allowed, status, body: hasBody ? allowed.body : '' }
}

function notFound({ headers }: CheckAnswer): CheckAnswer {
  return { status: 404, headers, body: '404 page not found\n' }
}
