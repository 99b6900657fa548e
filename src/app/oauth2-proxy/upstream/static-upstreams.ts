import type { UpstreamOptions } from '../../../proxy/alpha/alpha-options.ts'
import type { CheckAnswer } from '../../../proxy/check.ts'
import { writeAnswer } from '../../../proxy/transports/ext-authz-http.ts'
import { cleanLocation } from './find-upstream.ts'
import type { Upstreams } from './serving.ts'

/**
 * Opens upstreams that all are a status: nothing is forwarded. `isLiteral`: a path that is not clean leads to its clean
 * form even so.
 */
export function openStaticUpstreams(
  upstreams: readonly UpstreamOptions[],
  { isLiteral }: { isLiteral: boolean },
): Upstreams {
  const byLength = upstreams.toSorted((a, b) => b.path.length - a.path.length)
  return {
    cleanLocation: isLiteral ? cleanLocation : () => undefined,
    serve({ response, path, allowed }, done) {
      const upstream = byLength.find((one) => isAt(one, path))
      const answer = upstream ? staticAnswer(upstream.staticCode, allowed) : notFound(allowed)
      writeAnswer(response, answer)
      done({ upstream: upstream?.id ?? '', status: answer.status, size: Buffer.byteLength(answer.body) })
    },
    closeSockets() {},
    closeUpgraded() {},
    close: () => Promise.resolve(),
  }
}

/** The answer of a `static` upstream. */
export function staticAnswer(status: number, allowed: CheckAnswer): CheckAnswer {
  if (status === 200) return allowed
  const hasBody = status >= 200 && status !== 204 && status !== 304
  return hasBody ? { ...allowed, status } : { ...allowed, status, headers: withoutType(allowed.headers), body: '' }
}

function withoutType(headers: readonly string[]): string[] {
  return headers.filter((_, at) => headers[at - (at % 2)] !== 'content-type')
}

/** A path that ends in a slash is a prefix, any other is the whole path. */
function isAt({ path: place }: UpstreamOptions, path: string): boolean {
  if (place === '/') return true
  const mark = path.indexOf('?')
  const pathname = mark < 0 ? path : path.slice(0, mark)
  return place.endsWith('/') ? pathname.startsWith(place) : pathname === place
}

function notFound({ headers }: CheckAnswer): CheckAnswer {
  return { status: 404, headers, body: '404 page not found\n' }
}
