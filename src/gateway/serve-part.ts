import type { IncomingMessage, ServerResponse } from 'node:http'
import { nodeListener } from '../http/node-server.ts'
import type { Part, RequestContext } from '../http/part.ts'

/** What a part is given of a request: the very path and headers that were judged. */
export interface PartRequest {
  readonly target: string
  readonly headers: string[]
  readonly context: RequestContext
}

/** Hands requests to parts in this process. */
export interface PartServer {
  serve(part: Part, request: IncomingMessage, response: ServerResponse, as: PartRequest): void
}

type Listener = ReturnType<typeof nodeListener>

/** Keeps one listener for each part. */
export function openPartServer(): PartServer {
  const contexts = new WeakMap<IncomingMessage, RequestContext>()
  const listeners = new WeakMap<Part, Listener>()

  function listenerOf(part: Part): Listener {
    const known = listeners.get(part)
    if (known) return known
    const listener = nodeListener(part, (request) => contexts.get(request) ?? { requestId: '', clientAddress: '' })
    listeners.set(part, listener)
    return listener
  }

  return {
    serve(part, request, response, { target, headers, context }) {
      contexts.set(request, context)
      request.url = target
      request.rawHeaders = headers
      // Set outright: Node would derive `headers` from only as many of `rawHeaders` as the client had sent.
      request.headers = joinHeaders(headers)
      void listenerOf(part)(request, response)
    },
  }
}

/** The `headers` of a request with these raw ones: lower-case names, repeated values joined as Node joins them. */
function joinHeaders(raw: readonly string[]): IncomingMessage['headers'] {
  const joined: Record<string, string> = Object.create(null)
  for (let index = 0; index < raw.length; index += 2) {
    const name = (raw[index] ?? '').toLowerCase()
    const value = raw[index + 1] ?? ''
    const before = joined[name]
    joined[name] = before === undefined ? value : `${before}${name === 'cookie' ? '; ' : ', '}${value}`
  }
  return joined
}
