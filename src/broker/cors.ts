import type { MiddlewareHandler } from 'hono'
import type { Env } from './broker.ts'
import type { BrokerConfig } from './config.ts'

/**
 * Cross-origin reading of the public endpoints, only where `web.allowedOrigins` asks for it (dex server/server.go:
 * gorilla/handlers). A preflight for another header than the allowed ones is 403; credentials are never allowed.
 */
export function allowOrigins({ web }: BrokerConfig): MiddlewareHandler<Env> {
  const { allowedOrigins } = web
  const allowedHeaders = (web.allowedHeaders.length > 0 ? web.allowedHeaders : ['Authorization']).map(lower)
  const simpleHeaders = ['accept', 'accept-language', 'content-language', 'origin', ...allowedHeaders]

  return async (c, next) => {
    const origin = c.req.header('origin')
    const isAllowed = origin !== undefined && allowedOrigins.some((one) => one === '*' || one === origin)
    if (!isAllowed) return next()
    const allowOrigin = allowedOrigins.includes('*') ? '*' : origin
    const method = c.req.header('access-control-request-method')
    if (c.req.method !== 'OPTIONS' || method === undefined) {
      await next()
      c.res.headers.set('access-control-allow-origin', allowOrigin)
      c.res.headers.append('vary', 'Origin')
      return undefined
    }
    if (!['GET', 'HEAD', 'POST'].includes(method)) return new Response(null, { status: 405 })
    const wanted = (c.req.header('access-control-request-headers') ?? '').split(',').map(lower).filter(Boolean)
    const listed = wanted.filter((name) => !simpleHeaders.includes(name) || allowedHeaders.includes(name))
    if (listed.some((name) => !allowedHeaders.includes(name))) return new Response(null, { status: 403 })
    return new Response(null, {
      status: 200,
      headers: {
        'access-control-allow-origin': allowOrigin,
        vary: 'Origin',
        ...(listed.length > 0 ? { 'access-control-allow-headers': listed.join(',') } : {}),
      },
    })
  }
}

function lower(name: string): string {
  return name.trim().toLowerCase()
}
