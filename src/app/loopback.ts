import type { Fetch, Part, RequestContext } from '../http/part.ts'
import { type Random, randomUuid } from '../kit/random.ts'

/** Finds the part that serves a URL in this process; `undefined` where the URL is someone else's. */
export type FindPart = (url: URL) => Part | undefined

/**
 * The `fetch` the parts are given: a URL of ours is answered by the other part's own `fetch()`, everything else goes
 * out. The parts speak the same HTTP either way, so one process or many is a matter of configuration.
 */
export function loopbackFetch({ findPart, outside, random }: { findPart: FindPart; outside: Fetch; random: Random }): Fetch {
  return async (input, init) => {
    const request = new Request(input, init)
    const part = findPart(new URL(request.url))
    if (!part) return outside(request)
    const context: RequestContext = { requestId: randomUuid(random), clientAddress: '127.0.0.1' }
    return part.fetch(request, context)
  }
}
