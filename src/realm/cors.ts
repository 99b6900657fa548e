import type { Endpoint } from './endpoints/endpoint.ts'
import type { Client } from './model.ts'
import { allowedOrigins } from './web-origins.ts'

const allowedHeaders =
  'Origin, Accept, X-Requested-With, Content-Type, Access-Control-Request-Method, Access-Control-Request-Headers, Authorization'

/** Answers `OPTIONS`; a browser that asks on behalf of a page may go on (who is calling shows only in the real request). */
export function preflight(endpoint: Endpoint, request: Request): Response {
  const methods = [...Object.keys(endpoint.methods), 'OPTIONS'].join(', ')
  const headers = new Headers({ allow: methods })
  const origin = request.headers.get('origin')
  if (endpoint.cors !== undefined && origin !== null && request.headers.has('access-control-request-method')) {
    headers.set('access-control-allow-origin', origin)
    headers.set('access-control-allow-methods', methods)
    headers.set('access-control-allow-headers', allowedHeaders)
    headers.set('access-control-allow-credentials', 'true')
    headers.set('access-control-max-age', '3600')
    headers.set('vary', 'Origin')
  }
  return new Response(null, { headers })
}

/** Lets pages of other origins read an answer: of any origin, or of those the calling client registered. */
export function addCors(
  response: Response,
  { endpoint, request, caller }: { endpoint: Endpoint; request: Request; caller: Client | undefined },
): void {
  const origin = request.headers.get('origin')
  if (endpoint.cors === undefined || origin === null) return
  response.headers.append('vary', 'Origin')
  const allowed = endpoint.cors === 'any' ? ['*'] : caller ? allowedOrigins(caller) : []
  if (!allowed.includes('*') && !allowed.includes(origin)) return
  response.headers.set('access-control-allow-origin', endpoint.cors === 'any' ? '*' : origin)
  if (endpoint.cors === 'client') response.headers.set('access-control-allow-credentials', 'true')
  response.headers.set('access-control-expose-headers', 'Access-Control-Allow-Methods')
}
