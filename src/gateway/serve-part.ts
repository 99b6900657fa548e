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
      // Node derives `headers` from `rawHeaders` when it is next read
      request.headers = undefined as never
      void listenerOf(part)(request, response)
    },
  }
}
