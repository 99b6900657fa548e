import { withoutCookies } from '../http/cookies.ts'
import type { Exchange } from './exchange.ts'
import { forward } from './forward.ts'
import { HeaderList } from './header-list.ts'
import { applyOperations, hasOperations } from './header-operations.ts'
import { respond, respondText } from './respond.ts'
import { rewritePath } from './rewrite.ts'
import type { Route } from './routes.ts'
import { forwardUpgrade, isForeignOrigin } from './upgrade.ts'
import type { Destination, HeaderOperations, Redirect, Rewrite } from './virtual-service.ts'

/** The last step: the policies allowed the request, so its route is followed. */
export function followRoute(exchange: Exchange): void {
  const { route } = exchange
  if (!route) {
    respond(exchange, { status: 404 })
    return
  }
  const { action } = route.route
  switch (action.kind) {
    case 'redirect':
      respond(exchange, {
        status: action.redirect.status,
        headers: ['location', redirectTarget(exchange, action.redirect)],
      })
      return
    case 'answer':
      respond(exchange, { status: action.status, body: action.body, headers: ['content-type', 'text/plain'] })
      return
    case 'forward':
      forwardTo(exchange, route, chooseDestination(exchange, action.destinations), action.rewrite)
  }
}

/** Natively a redirect that stays on this host names only the path: links are never built from `Host`. */
function redirectTarget(exchange: Exchange, { uri, authority, scheme, port }: Redirect): string {
  const path = uri ?? exchange.path + exchange.query
  if (exchange.state.isNative && authority === undefined && scheme === undefined && port === undefined) return path
  const host = authority ?? exchange.host
  const newScheme = scheme ?? exchange.scheme
  if (port === undefined) return `${newScheme}://${host}${path}`
  return `${newScheme}://${host.replace(/:\d*$/, '')}:${port}${path}`
}

function chooseDestination(exchange: Exchange, destinations: readonly Destination[]): Destination | undefined {
  if (destinations.length < 2) return destinations[0]
  const total = destinations.reduce((sum, { weight }) => sum + weight, 0)
  let left = (exchange.context.random.bytes(4).readUInt32BE() / 2 ** 32) * total
  for (const destination of destinations) {
    left -= destination.weight
    if (left < 0) return destination
  }
  return destinations[0]
}

function forwardTo(exchange: Exchange, route: Route, destination: Destination | undefined, rewrite?: Rewrite): void {
  const { context } = exchange
  const upstream = destination && context.resolveUpstream(destination.host, destination.port, destination.namespace)
  if (!upstream || !destination) {
    respondText(exchange, 503, 'no healthy upstream')
    return
  }
  if (exchange.upgrade && exchange.state.isNative && isForeignOrigin(exchange)) {
    respondText(exchange, 403, 'websocket from a foreign origin')
    return
  }
  if (rewrite?.authority !== undefined) exchange.headers.set('host', rewrite.authority)
  if (upstream.kind === 'origin' || upstream.hidesOwnCookies) hideOwnCookies(exchange)
  applyOperations(exchange.headers, route.route.requestHeaders)
  applyOperations(exchange.headers, destination.requestHeaders)
  const target = rewritePath(exchange.path, route, rewrite) + exchange.query
  if (upstream.kind === 'origin') {
    const responseOperations = [route.route.responseHeaders, destination.responseHeaders].filter(hasOperations)
    if (exchange.upgrade) forwardUpgrade(exchange, upstream.origin, target)
    else forward(exchange, upstream.origin, { target, responseOperations, timeout: route.route.timeoutMilliseconds })
    return
  }
  if (exchange.upgrade) {
    respondText(exchange, 501, 'no websocket here')
    return
  }
  changeResponse(exchange, [route.route.responseHeaders, destination.responseHeaders].filter(hasOperations))
  const { requestId, clientAddress, request, response } = exchange
  const as = { target, headers: exchange.headers.flat, context: { requestId, clientAddress } }
  context.parts.serve(upstream.part, request, response, as)
}

function hideOwnCookies({ headers, context }: Exchange): void {
  const cookies = headers.get('cookie')
  if (cookies === undefined) return
  const kept = withoutCookies(cookies, context.ownCookies)
  if (kept === undefined) headers.remove('cookie')
  else if (kept !== cookies) headers.set('cookie', kept)
}

/** A part writes its own head; what the gateway adds to it is added when it does. */
function changeResponse(exchange: Exchange, operations: readonly HeaderOperations[]): void {
  const { response, responseHeaders } = exchange
  if (operations.length === 0 && responseHeaders.length === 0) return
  const writeHead = response.writeHead.bind(response)
  response.writeHead = ((status: number, ...rest: unknown[]) => {
    const given = rest.find((one) => typeof one === 'object' && one !== null) ?? {}
    const headers = new HeaderList(flatHeaders(given))
    for (const one of operations) applyOperations(headers, one)
    return writeHead(status, [...headers.flat, ...responseHeaders])
  }) as typeof response.writeHead
}

function flatHeaders(headers: object): string[] {
  if (Array.isArray(headers)) return headers.flat().map(String)
  return Object.entries(headers).flatMap(([name, value]) =>
    (Array.isArray(value) ? value : [value]).flatMap((one) => [name.toLowerCase(), String(one)]),
  )
}
