import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import type { Clock } from '../kit/clock.ts'
import { type Log, silentLog } from '../kit/log.ts'
import { type Connections, openConnections } from './listener/connections.ts'
import { type CutLog, openCutLog } from './listener/cut-log.ts'
import { Http1Conversation } from './listener/http1-conversation.ts'
import { Http2Conversation } from './listener/http2-conversation.ts'
import { defaultLimits, type Limits, maxHeaderBytes } from './listener/limits.ts'
import { sniffProtocol } from './listener/sniff-protocol.ts'

/** What answers the listener's requests. */
export interface RequestHandler {
  handle(request: IncomingMessage, response: ServerResponse): void
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void
}

/** The public listener: listens first, answers 503 until the chain behind it is open. */
export interface OpenServer {
  readonly server: Server
  /** From now on `handler` answers. Proxies in front (`isBehindProxies`) bring many clients from few addresses. */
  serve(handler: RequestHandler, circumstances?: { readonly isBehindProxies: boolean }): void
  /** Stops accepting, lets answers under way finish for `graceMilliseconds`, then cuts what is left. */
  close(graceMilliseconds: number): Promise<void>
}

/** What a listener is opened with. */
export interface ServerOptions {
  /** What differs from the ordinary limits. */
  readonly limits?: Partial<Limits>
  /** Told of clients that are cut off, not of each. */
  readonly log?: Log
  /** Any that never jumps. */
  readonly clock?: Clock
}

/** Patience is measured in time that has passed, whatever the machine's clock is set to. */
const steadyClock: Clock = { now: () => performance.now() }

/**
 * Opens a server that speaks HTTP/1.1 and, to clients that begin with it, HTTP/2 without TLS. Its limits hold slow and
 * greedy clients off: whoever owes us bytes is cut when they do not come; an answer may take as long as it likes.
 */
export function openServer({
  limits: given = {},
  log = silentLog,
  clock = steadyClock,
}: ServerOptions = {}): OpenServer {
  const limits = { ...defaultLimits, ...given }
  const cuts = openCutLog(log)
  const now = () => clock.now()
  let handler: RequestHandler = notReady
  let isBehindProxies = false
  const perAddress = () => (isBehindProxies ? limits.connections : limits.connectionsPerAddress)
  const connections = openConnections(limits, { now, cuts, perAddress })
  const server = createLimitedServer(limits)
  const sweepInterval = Math.min(1000, limits.head / 4, limits.bodyIdle / 4, limits.unwantedBody / 4)
  const sweeping = setInterval(() => connections.sweep(), sweepInterval).unref()

  speakBoth(server, (socket, acceptHttp1) => {
    if (!connections.admit(socket)) return
    sniffProtocol(socket, (protocol) => {
      if (protocol === 'http/1.1') {
        connections.set(socket, new Http1Conversation(socket, { limits, now }))
        acceptHttp1()
        return
      }
      // the gateway and the parts use of requests and answers what these have
      const handle = (request: unknown, response: unknown) =>
        handler.handle(request as IncomingMessage, response as ServerResponse)
      connections.set(socket, new Http2Conversation(socket, { limits, now, handle }))
    })
  })
  converseHttp1(server, { limits, connections, cuts, handler: () => handler })
  return {
    server,
    serve(next, circumstances = { isBehindProxies: false }) {
      handler = next
      isBehindProxies = circumstances.isBehindProxies
    },
    async close(graceMilliseconds) {
      await closeServer(server, connections, graceMilliseconds)
      clearInterval(sweeping)
      cuts.close()
    },
  }
}

/** Until the chain is open. */
const notReady: RequestHandler = {
  handle: (_, response) =>
    void response.writeHead(503, { 'content-type': 'text/plain', 'retry-after': '1' }).end('starting\n'),
  upgrade: (_, socket) =>
    void socket.end('HTTP/1.1 503 Service Unavailable\r\nconnection: close\r\ncontent-length: 0\r\n\r\n'),
}

function createLimitedServer(limits: Limits): Server {
  return createServer({
    maxHeaderSize: maxHeaderBytes,
    headersTimeout: limits.head,
    connectionsCheckingInterval: Math.min(5000, limits.head),
    requestTimeout: 0, // an upload may take as long as it takes, as long as it goes on
    keepAliveTimeout: limits.keepAlive,
    keepAlive: true, // TCP's own probes find peers that are gone
    keepAliveInitialDelay: 60_000,
    insecureHTTPParser: false,
    optimizeEmptyRequests: true, // no stream for a body that does not come
  })
}

/** Lets `meet` look at each connection before the HTTP/1.1 server takes it. */
function speakBoth(server: Server, meet: (socket: Socket, acceptHttp1: () => void) => void): void {
  const accept = server.listeners('connection')
  server.removeAllListeners('connection')
  server.on('connection', (socket: Socket) => {
    meet(socket, () => {
      for (const listener of accept) listener.call(server, socket)
    })
  })
}

interface Http1Circumstances {
  readonly limits: Limits
  readonly connections: Connections
  readonly cuts: CutLog
  readonly handler: () => RequestHandler
}

/** Has the HTTP/1.1 server's requests answered, and its connections know what is said on them. */
function converseHttp1(server: Server, { limits, connections, cuts, handler }: Http1Circumstances): void {
  const conversationOf = (socket: Socket): Http1Conversation | undefined => {
    const conversation = connections.get(socket)
    return conversation instanceof Http1Conversation ? conversation : undefined
  }
  server.on('request', (request, response) => {
    if (conversationOf(request.socket)?.begin(request, response) !== false) handler().handle(request, response)
    else {
      cuts.tell('too many requests at one time')
      request.socket.destroy()
    }
  })
  server.on('upgrade', (request, socket, head) => {
    const conversation = conversationOf(request.socket)
    if (conversation) conversation.isUpgraded = true
    handler().upgrade(request, socket, head)
  })
  // also told when a connection has idled between two requests for `keepAliveTimeout`
  server.setTimeout(limits.bodyIdle, (socket) => {
    const conversation = conversationOf(socket)
    const reason = conversation?.timeOut()
    if (conversation && reason === undefined) {
      socket.setTimeout(limits.bodyIdle)
      return
    }
    if (reason !== undefined && reason !== 'idle') cuts.tell(reason)
    socket.destroy()
  })
}

function closeServer(server: Server, connections: Connections, graceMilliseconds: number): Promise<void> {
  return new Promise((resolve) => {
    const cut = setTimeout(() => connections.cutAll(), graceMilliseconds)
    server.close(() => {
      clearTimeout(cut)
      resolve()
    })
    connections.endAll()
    server.closeIdleConnections()
  })
}
