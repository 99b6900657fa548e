import type { Readable } from 'node:stream'
import { withoutCookies } from '../http/cookies.ts'
import { corsHeaders, isPreflight, preflightAnswer } from './cors.ts'
import type { Exchange } from './exchange.ts'
import { type DrawnFault, drawFault } from './fault.ts'
import { forward } from './forward.ts'
import { isGrpc } from './grpc-refusals.ts'
import { HeaderList } from './header-list.ts'
import { applyOperations, hasOperations } from './header-operations.ts'
import { KeptBody, keptBytes } from './kept-body.ts'
import { mirror } from './mirror.ts'
import { ownAnswer } from './own-answer.ts'
import { hasBody } from './peek-body.ts'
import { noteOwn, refuseItself } from './refusals.ts'
import { respond, respondText } from './respond.ts'
import { rewritePath } from './rewrite.ts'
import { chooseDestination, operationsOf } from './route-operations.ts'
import type { Route } from './routes.ts'
import { portAt } from './services.ts'
import { foreignOrigin, forwardUpgrade, isForeignOrigin } from './upgrade.ts'
import { type Destination, type HeaderOperations, noHeaderOperations, type Rewrite } from './virtual-service.ts'

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
  if (grpcStatus === undefined || !isGrpc(exchange.headers.get('content-type'))) {
    respondText(exchange, httpStatus, 'fault filter abort')
    return
  }
  const headers = ['content-type', 'application/grpc', 'grpc-status', String(grpcStatus), 'content-length', '0']
  if (exchange.response.destroyed) return
  exchange.response.writeHead(200, [...headers, 'grpc-message', 'fault filter abort'])
  exchange.response.end()
}

function answerByRoute(exchange: Exchange, route: Route): void {
  const { action, cors, responseHeaders } = route.route
  if (exchange.response.destroyed) return
  if (action.kind === 'forward') {
    const preflight = cors && isPreflight(exchange) ? preflightAnswer(cors, exchange) : undefined
    if (preflight) {
      respond(exchange, { status: 200, headers: preflight })
      return
    }
    if (cors) exchange.corsPairs = corsHeaders(cors, exchange)
    forwardTo(exchange, route, chooseDestination(exchange, action.destinations))
    return
  }
  // to answers of the gateway's own Envoy applies no `corsPolicy`, but the route's header operations
  const { status, headers, body } = ownAnswer(exchange, route, action)
  if (action.kind === 'answer') noteOwn(exchange, { status, reason: 'the route answers itself (directResponse)' })
  const list = new HeaderList([...headers])
  applyOperations(list, responseHeaders, exchange)
  respond(exchange, { status, headers: list.flat, body })
}

function forwardTo(exchange: Exchange, route: Route, destination: Destination | undefined): void {
  const { context } = exchange
  const { action, mirrors, retries, timeoutMilliseconds: timeout } = route.route
  const rewrite = action.kind === 'forward' ? action.rewrite : undefined
  const reached = destination && portAt(exchange.state.services, destination)
  const upstream = reached && context.resolveUpstream(destination.host, reached.port, destination.namespace)
  if (!upstream || !destination) {
    const reason = `nothing is known to run at \`${destination?.host}\``
    refuseItself(exchange, { status: 503, text: 'no healthy upstream', reason })
    return
  }
  if (exchange.upgrade && exchange.state.isNative && isForeignOrigin(exchange)) {
    refuseItself(exchange, { status: 403, text: foreignOrigin })
    return
  }
  if (upstream.kind === 'origin' || upstream.hidesOwnCookies) hideOwnCookies(exchange)
  const { onRequest, onResponse } = operationsOf(route, destination)
  for (const operations of onRequest) applyOperations(exchange.headers, operations, exchange)
  const authority = rewrite?.authority ?? onRequest.at(-1)?.authority ?? onRequest[0]?.authority
  if (!exchange.state.isNative) {
    // the host one of several destinations sets is changed without a word, and is the original to what comes then
    const before = onRequest.length > 1 ? onRequest[0]?.authority : undefined
    if (before !== undefined) exchange.headers.set('host', before)
    tellOriginals(exchange, route, rewrite, rewrite?.authority ?? onRequest.at(-1)?.authority)
  }
  if (authority !== undefined) exchange.headers.set('host', authority)
  const target = rewritePath(exchange.path, route, rewrite) + exchange.query
  const changes = { ...noHeaderOperations, changes: exchange.responseChanges }
  const operations = [...onResponse, setting(exchange.corsPairs), changes].filter(hasOperations)
  if (upstream.kind === 'origin') {
    if (exchange.upgrade) {
      forwardUpgrade(exchange, upstream.origin, target)
      return
    }
    const stream = mirrors.length > 0 ? mirror(exchange, mirrors, target) : bodyOf(exchange)
    const body = stream && new KeptBody(stream, retries.attempts > 0 ? keptBytes : 0)
    const isCall = isGrpc(exchange.headers.get('content-type'))
    if (isCall) exchange.headers.set('te', 'trailers') // gRPC servers refuse calls without it
    const isHttp2 = isCall || reached.isHttp2 || upstream.isHttp2 === true
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

/** What Envoy's router tells an app of a request it changed, and how long it waits for the answer. */
function tellOriginals(
  { headers, path, query }: Exchange,
  { route: { timeoutMilliseconds, retries } }: Route,
  rewrite: Rewrite | undefined,
  authority: string | undefined,
): void {
  const expected = retries.perTryTimeout ?? timeoutMilliseconds
  if (expected) headers.set('x-envoy-expected-rq-timeout-ms', String(expected))
  if (rewrite?.uri !== undefined || rewrite?.regex) headers.set('x-envoy-original-path', path + query)
  if (authority !== undefined) headers.set('x-envoy-original-host', headers.get('host') ?? '')
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
    for (const one of operations) applyOperations(headers, one, exchange)
    return writeHead(status, [...headers.flat, ...responseHeaders])
  }) as typeof response.writeHead
}

function flatHeaders(headers: object): string[] {
  if (Array.isArray(headers)) return headers.flat().map(String)
  return Object.entries(headers).flatMap(([name, value]) =>
    (Array.isArray(value) ? value : [value]).flatMap((one) => [name.toLowerCase(), String(one)]),
  )
}
