import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'

/** What answers the listener's requests. */
export interface RequestHandler {
  handle(request: IncomingMessage, response: ServerResponse): void
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void
}

/** The public listener: listens first, answers 503 until the chain behind it is open. */
export interface OpenServer {
  readonly server: Server
  /** From now on `handler` answers. */
  serve(handler: RequestHandler): void
  /** Stops accepting, lets answers under way finish for `graceMilliseconds`, then cuts what is left. */
  close(graceMilliseconds: number): Promise<void>
}

/** How long slow clients are waited for, in milliseconds. */
export interface Patience {
  /** For the next bytes of a body. */
  readonly bodyIdle: number
  /** For the rest of a body that nobody wants any more: its request has been answered. */
  readonly unwantedBody: number
}

const defaultPatience: Patience = { bodyIdle: 60_000, unwantedBody: 10_000 }

/** Opens a server whose limits hold slow and oversized clients off (Envoy's header limit; Node's strict parser). */
export function openServer({ bodyIdle, unwantedBody }: Patience = defaultPatience): OpenServer {
  let handler: RequestHandler | undefined
  const upgraded = new Set<Duplex>()
  const server = createServer({
    maxHeaderSize: 60 * 1024,
    headersTimeout: 15_000,
    connectionsCheckingInterval: 5_000,
    requestTimeout: 0, // an upload may take as long as it takes, as long as it goes on: see `cutIdleBodies`
    keepAliveTimeout: 75_000,
    insecureHTTPParser: false,
  })
  cutIdleBodies(server, { bodyIdle, upgraded })
  server.on('request', (request, response) => {
    response.once('finish', () => cutUnwantedBody(request, unwantedBody))
    if (handler) handler.handle(request, response)
    else response.writeHead(503, { 'content-type': 'text/plain', 'retry-after': '1' }).end('starting\n')
  })
  server.on('upgrade', (request, socket, head) => {
    upgraded.add(socket)
    socket.once('close', () => upgraded.delete(socket))
    if (handler) handler.upgrade(request, socket, head)
    else socket.end('HTTP/1.1 503 Service Unavailable\r\nconnection: close\r\ncontent-length: 0\r\n\r\n')
  })
  return {
    server,
    serve(next) {
      handler = next
    },
    close: (graceMilliseconds) => closeServer(server, upgraded, graceMilliseconds),
  }
}

/** Silence is cut where a client owes us bytes; an answer may be as slow as it likes (server-sent events, long polls). */
function cutIdleBodies(
  server: Server,
  { bodyIdle, upgraded }: { bodyIdle: number; upgraded: ReadonlySet<Duplex> },
): void {
  const answering = new Map<Socket, IncomingMessage>()
  server.prependListener('request', (request, response) => {
    const { socket } = request
    answering.set(socket, request)
    response.once('close', () => {
      if (answering.get(socket) === request) answering.delete(socket)
    })
  })
  // Also told when a connection has idled between two requests for `keepAliveTimeout`: nobody is answered there.
  server.setTimeout(bodyIdle, (socket) => {
    const request = answering.get(socket)
    const isOurTurn = request !== undefined && (request.complete || request.readableLength > 0)
    if (isOurTurn || upgraded.has(socket)) socket.setTimeout(bodyIdle)
    else socket.destroy()
  })
}

function cutUnwantedBody(request: IncomingMessage, unwantedBody: number): void {
  if (request.complete) return
  setTimeout(() => {
    if (!request.complete) request.socket.destroy()
  }, unwantedBody).unref()
}

function closeServer(server: Server, upgraded: ReadonlySet<Duplex>, graceMilliseconds: number): Promise<void> {
  return new Promise((resolve) => {
    const cut = setTimeout(() => server.closeAllConnections(), graceMilliseconds)
    server.close(() => {
      clearTimeout(cut)
      resolve()
    })
    for (const socket of upgraded) socket.destroy()
    server.closeIdleConnections()
  })
}
