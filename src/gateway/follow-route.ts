import type { Readable } from 'node:stream'
import { withoutCookies } from '../http/cookies.ts'
import { corsHeaders, isPreflight, preflightAnswer } from './cors.ts'
import type { Exchange } from './exchange.ts'
import { type DrawnFault, drawFault } from './fault.ts'
import { forward } from './forward.ts'
import { isGrpc } from './grpc-refusals.ts'
import { HeaderList } from './header-list.ts'
import { applyOperations, hasOperations } from './header-operations.ts'
import { mirror } from './mirror.ts'
import { hasBody } from './peek-body.ts'
import { noteOwn, refuseItself } from './refusals.ts'
import { respond, respondText } from './respond.ts'
import { rewritePath } from './rewrite.ts'
import type { Route } from './routes.ts'
import { foreignOrigin, forwardUpgrade, isForeignOrigin } from './upgrade.ts'
import {
  type Destination,
  type HeaderOperations,
  noHeaderOperations,
  type Redirect,
  type Rewrite,
} from './virtual-service.ts'

/** The last step: the policies allowed the request, so its route is followed; first what it breaks on purpose. */
export function followRoute(exchange: Exchange): void {
  const { route, context } = exchange
  const secure = secureUrl(exchange)
  if (secure !== undefined) {
    respond(exchange, { status: 301, headers: ['location', secure] })
    return
  }
  if (!route) {
    refuseItself(exchange, { status: 404, text: '', reason: 'no route leads anywhere' })
    return
  }
  const { fault } = route.route
  const drawn = fault && drawFault(fault, context.random)
  if (!drawn) {
    answerByRoute(exchange, route)
    return
  }
  const goOn = () => {
    if (drawn.abort) abort(exchange, drawn.abort)
    else answerByRoute(exchange, route)
  }
  if (drawn.delayMilliseconds === 0) goOn()
  else setTimeout(goOn, drawn.delayMilliseconds)
}

/**
 * Where plain HTTP is sent (Gateway `tls.httpsRedirect`). Natively the configured address says how we are reached: where
 * that is plain HTTP itself, nobody is sent away.
 */
function secureUrl({ state, context, scheme, host, path, query }: Exchange): string | undefined {
  if (scheme !== 'http' || !state.routes.redirectsToHttps(host)) return undefined
  if (state.isNative && context.publicOrigin?.startsWith('http:')) return undefined
  return `${state.isNative && context.publicOrigin ? context.publicOrigin : `https://${host}`}${path}${query}`
}

function abort(exchange: Exchange, { httpStatus, grpcStatus }: NonNullable<DrawnFault['abort']>): void {
  noteOwn(exchange, { status: httpStatus, reason: 'the route breaks it on purpose (fault)' })
  if (grpcStatus === undefined) {
    respondText(exchange, httpStatus, 'fault filter abort')
    return
  }
  const headers = ['content-type', 'application/grpc', 'grpc-status', String(grpcStatus), 'content-length', '0']
  if (exchange.response.destroyed) return
  exchange.response.writeHead(200, [...headers, 'grpc-message', 'fault filter abort'])
  exchange.response.end()
}

function answerByRoute(exchange: Exchange, route: Route): void {
  const { action, cors } = route.route
  if (exchange.response.destroyed) return
  const preflight = cors && isPreflight(exchange) ? preflightAnswer(cors, exchange) : undefined
  if (preflight) {
    respond(exchange, { status: 200, headers: preflight })
    return
  }
  const corsPairs = cors ? corsHeaders(cors, exchange) : []
  switch (action.kind) {
    case 'redirect': {
      const headers = ['location', redirectTarget(exchange, route, action.redirect), ...corsPairs]
      respond(exchange, { status: action.redirect.status, headers })
      return
    }
    case 'answer': {
      const headers = ['content-type', 'text/plain', ...corsPairs]
      noteOwn(exchange, { status: action.status, reason: 'the route answers itself (directResponse)' })
      respond(exchange, { status: action.status, body: action.body, headers })
      return
    }
    case 'forward':
      forwardTo(exchange, route, { destination: chooseDestination(exchange, action.destinations), corsPairs })
  }
}

/** Natively a redirect that stays on this host names only the path: links are never built from `Host`. */
function redirectTarget(exchange: Exchange, route: Route, redirect: Redirect): string {
  const { uri, prefix, authority, scheme } = redirect
  const swapped = prefix === undefined ? exchange.path : rewritePath(exchange.path, route, rewriteTo(prefix))
  const path = uri ?? swapped + exchange.query
  const port = redirect.keepsPort ? exchange.localPort : redirect.port
  if (exchange.state.isNative && authority === undefined && scheme === undefined && port === undefined) {
    return path.replace(/^\/{2,}/, '/') // `//evil.example` would be another host's address
  }
  const host = authority ?? exchange.host
  const newScheme = scheme ?? exchange.scheme
  if (port === undefined) return `${newScheme}://${host}${path}`
  return `${newScheme}://${host.replace(/:\d*$/, '')}:${port}${path}`
}

const rewriteTo = (uri: string): Rewrite => ({ uri, authority: undefined, regex: undefined })

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

interface Forwarded {
  readonly destination: Destination | undefined
  readonly corsPairs: readonly string[]
}

function forwardTo(exchange: Exchange, route: Route, { destination, corsPairs }: Forwarded): void {
  const { context } = exchange
  const { action, mirrors, retries, requestHeaders, responseHeaders, timeoutMilliseconds: timeout } = route.route
  const rewrite = action.kind === 'forward' ? action.rewrite : undefined
  const upstream = destination && context.resolveUpstream(destination.host, destination.port, destination.namespace)
  if (!upstream || !destination) {
    const reason = `nothing is known to run at \`${destination?.host}\``
    refuseItself(exchange, { status: 503, text: 'no healthy upstream', reason })
    return
  }
  if (exchange.upgrade && exchange.state.isNative && isForeignOrigin(exchange)) {
    refuseItself(exchange, { status: 403, text: foreignOrigin })
    return
  }
  if (rewrite?.authority !== undefined) exchange.headers.set('host', rewrite.authority)
  if (upstream.kind === 'origin' || upstream.hidesOwnCookies) hideOwnCookies(exchange)
  applyOperations(exchange.headers, requestHeaders)
  applyOperations(exchange.headers, destination.requestHeaders)
  const target = rewritePath(exchange.path, route, rewrite) + exchange.query
  const changes = { ...noHeaderOperations, changes: exchange.responseChanges }
  const operations = [responseHeaders, destination.responseHeaders, setting(corsPairs), changes].filter(hasOperations)
  if (upstream.kind === 'origin') {
    if (exchange.upgrade) {
      forwardUpgrade(exchange, upstream.origin, target)
      return
    }
    const body = mirrors.length > 0 ? mirror(exchange, mirrors, target) : bodyOf(exchange)
    const isCall = isGrpc(exchange.headers.get('content-type'))
    if (isCall) exchange.headers.set('te', 'trailers') // gRPC servers refuse calls without it
    const isHttp2 = isCall || upstream.isHttp2 === true
    forward(exchange, upstream.origin, { target, isHttp2, body, responseOperations: operations, timeout, retries })
    return
  }
  if (exchange.upgrade && !upstream.takesHandshakes) {
    refuseItself(exchange, { status: 501, text: 'no websocket here' })
    return
  }
  changeResponse(exchange, operations)
  const { requestId, clientAddress, request, response } = exchange
  const refused = (status: number) =>
    context.observer?.refused(exchange, { kind: 'part', part: upstream.name ?? destination.host, status })
  const as = { target, headers: exchange.headers.flat, context: { requestId, clientAddress }, refused }
  context.parts.serve(upstream.part, request, response, as)
}

function bodyOf({ request, headers }: Exchange): Readable | undefined {
  return hasBody(headers) ? request : undefined
}

/** Header operations that set these pairs. */
function setting(flat: readonly string[]): HeaderOperations {
  if (flat.length === 0) return noHeaderOperations
  const set = flat.flatMap((name, at) => (at % 2 === 0 ? [[name, flat[at + 1] ?? ''] as const] : []))
  return { ...noHeaderOperations, set }
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
