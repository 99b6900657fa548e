import type { IncomingMessage, ServerResponse } from 'node:http'
import { getRequestListener } from '@hono/node-server'
import type { Part, RequestContext } from './part.ts'

/** Serves a part from `node:http`; `contextOf` tells what the listener knows of the request. */
export function nodeListener(part: Part, contextOf: (request: IncomingMessage) => RequestContext) {
  return getRequestListener(
    (request, env) => part.fetch(request, contextOf((env as { incoming: IncomingMessage }).incoming)),
    { overrideGlobalObjects: false },
  ) as (request: IncomingMessage, response: ServerResponse) => Promise<void>
}
