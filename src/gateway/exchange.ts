import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import type { TLSSocket } from 'node:tls'
import type { SessionNames } from '../oidc/ended-sessions.ts'
import type { Claims, RequestFacts } from '../policy/facts.ts'
import type { HeaderChange } from './ask.ts'
import { clientAddressOf, peerAddressOf } from './client-address.ts'
import type { GatewayContext } from './context.ts'
import type { HeaderList } from './header-list.ts'
import { normalisePath } from './normalise-path.ts'
import type { PipelineTrace } from './observer.ts'
import { isAuthority, parseTarget } from './request-target.ts'
import type { Route } from './routes.ts'
import type { GatewayState } from './state.ts'

/** The socket of a request that asks to speak another protocol, and what of that came already. */
export interface Upgrade {
  readonly socket: Duplex
  readonly head: Buffer
}

/** What a request came with. */
export interface Arrival {
  readonly request: IncomingMessage
  readonly response: ServerResponse
  readonly upgrade: Upgrade | undefined
}

/**
 * One request on its way. It is its own facts, so that what policies judge is what is forwarded; steps of the pipeline
 * change its headers and claims and nothing else.
 */
export class Exchange implements RequestFacts {
  readonly context: GatewayContext
  readonly state: GatewayState
  readonly request: IncomingMessage
  readonly response: ServerResponse
  readonly upgrade: Upgrade | undefined
  readonly requestId: string
  readonly method: string
  readonly path: string
  readonly host: string
  readonly scheme: string
  readonly headers: HeaderList
  readonly peerAddress: string
  readonly clientAddress: string
  /** Headers the answer gets beside its own, flat. */
  readonly responseHeaders: string[] = []
  /** What providers change of the answer's headers. */
  readonly responseChanges: HeaderChange[] = []
  query: string
  claims: Claims | undefined = undefined
  /** Whose request this is, by its token and by what a provider in this process says. */
  tokenSession: SessionNames | undefined = undefined
  providerSession: SessionNames | undefined = undefined
  route: Route | undefined = undefined
  /** Natively CUSTOM rules do not see an `Authorization` that holds no token; see `pipeline.ts`. */
  hidesAuthorization = false
  /** What the `corsPolicy` of its route tells the browser, once the request has come that far. Flat. */
  corsPairs: readonly string[] = []
  /** Where explain wants to know how this request is decided. */
  readonly trace: PipelineTrace | undefined

  constructor(context: GatewayContext, state: GatewayState, arrival: Arrival, parsed: ParsedRequest) {
    this.context = context
    this.state = state
    this.request = arrival.request
    this.response = arrival.response
    this.upgrade = arrival.upgrade
    this.requestId = parsed.requestId
    this.method = arrival.request.method ?? 'GET'
    this.path = parsed.path
    this.query = parsed.query
    this.host = parsed.host
    this.headers = parsed.headers
    const { numTrustedProxies } = state.config.meshConfig
    this.peerAddress = peerAddressOf(arrival.request.socket.remoteAddress)
    const forwardedFor = numTrustedProxies === 0 ? undefined : this.headers.get('x-forwarded-for')
    this.clientAddress = clientAddressOf(this.peerAddress, forwardedFor, {
      trustedProxies: numTrustedProxies,
      mode: state.mode,
    })
    this.scheme = schemeOf(this)
    this.trace = context.observer?.begin?.(this)
  }

  get socket(): Socket {
    return this.request.socket
  }

  get localAddress(): string {
    return peerAddressOf(this.socket.localAddress)
  }

  get localPort(): number {
    return this.socket.localPort ?? 0
  }

  get serverName(): string | undefined {
    const name = (this.socket as Partial<TLSSocket>).servername
    return typeof name === 'string' ? name : undefined
  }

  header(name: string): string | undefined {
    if (this.hidesAuthorization && name === 'authorization') return undefined
    return this.headers.get(name)
  }

  headerLines(name: string): readonly string[] {
    return this.hidesAuthorization && name === 'authorization' ? [] : this.headers.all(name)
  }
}

/** What the first step makes of a request. */
export interface ParsedRequest {
  readonly requestId: string
  readonly path: string
  readonly query: string
  readonly host: string
  readonly headers: HeaderList
}

/** Normalises the path and strips headers; `undefined` for a request that must be refused as malformed. */
export function parseRequest(
  request: IncomingMessage,
  state: GatewayState,
  requestId: string,
): ParsedRequest | undefined {
  const target = parseTarget(request.url ?? '')
  if (!target || request.httpVersionMajor !== 1) return undefined // Node reads `GET /a` as HTTP/0.9
  const path = normalisePath(target.path, state.config.meshConfig.pathNormalisation, state.mode)
  const headers = state.headerReader.read(request.rawHeaders)
  if (path === undefined || !headers) return undefined
  const sent = target.authority ?? headers.get('host') ?? ''
  if (!isAuthority(sent)) return undefined
  const host = state.isNative ? withoutTrailingDot(sent) : sent
  if (host !== headers.get('host')) headers.set('host', host)
  return { requestId, path, query: target.query, host, headers }
}

/** `app.example.com.` is `app.example.com`: a rule on the one must not be escaped by the other. */
function withoutTrailingDot(host: string): string {
  return host.includes('.:') || host.endsWith('.') ? host.replace(/\.+(?=:\d*$|$)/, '') : host
}

function schemeOf({ context, state, headers, socket }: Exchange): string {
  const forwarded = state.config.meshConfig.numTrustedProxies > 0 ? headers.get('x-forwarded-proto') : undefined
  if (forwarded === 'http' || forwarded === 'https') return forwarded
  if (state.isNative && context.publicOrigin !== undefined) {
    return context.publicOrigin.slice(0, context.publicOrigin.indexOf(':'))
  }
  return (socket as Partial<TLSSocket>).encrypted ? 'https' : 'http'
}
