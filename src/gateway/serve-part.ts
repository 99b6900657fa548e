import type { IncomingMessage, ServerResponse } from 'node:http'
import { nodeListener } from '../http/node-server.ts'
import type { Part, RequestContext } from '../http/part.ts'
import { HeaderList } from './header-list.ts'

/** What a part is given of a request: the very path and headers that were judged. */
export interface PartRequest {
  readonly target: string
  readonly headers: string[]
  readonly context: RequestContext
  /** Told where the part refuses (status 400 or more). */
  readonly refused?: (status: number) => void
}

/** Hands requests to parts in this process. */
export interface PartServer {
  serve(part: Part, request: IncomingMessage, response: ServerResponse, as: PartRequest): void
}

type Listener = ReturnType<typeof nodeListener>

/** Keeps one listener for each part. */
export function openPartServer(): PartServer {
  const contexts = new WeakMap<IncomingMessage, RequestContext>()
  const listening = new WeakMap<RequestContext, (status: number) => void>()
  const listeners = new WeakMap<Part, Listener>()

  function listenerOf(part: Part): Listener {
    const known = listeners.get(part)
    if (known) return known
    const listener = nodeListener(tellingOfRefusals(part), (request) => contexts.get(request) ?? unknown)
    listeners.set(part, listener)
    return listener
  }

  /** The part, but its refusals tell the id they can be explained by, as those of the gateway do. */
  function tellingOfRefusals(part: Part): Part {
    const tell = (response: Response, context = unknown): Response => {
      if (response.status < 400) return response
      listening.get(context)?.(response.status)
      response.headers.set('x-request-id', context.requestId)
      return response
    }
    return {
      fetch(request, context) {
        const answer = part.fetch(request, context)
        return answer instanceof Promise ? answer.then((late) => tell(late, context)) : tell(answer, context)
      },
    }
  }

  return {
    serve(part, request, response, { target, headers, context, refused }) {
      const known = part.recall?.({ target, header: (name) => new HeaderList(headers).get(name) })
      if (known) {
        response.writeHead(known.status, [...known.headers, 'content-length', String(Buffer.byteLength(known.body))])
        response.end(known.body)
        return
      }
      contexts.set(request, context)
      if (refused) listening.set(context, refused)
      request.url = target
      request.rawHeaders = headers
      // Set outright: Node would derive `headers` from only as many of `rawHeaders` as the client had sent.
      request.headers = joinHeaders(headers)
      void listenerOf(part)(request, response)
    },
  }
}

const unknown: RequestContext = { requestId: '', clientAddress: '' }

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
