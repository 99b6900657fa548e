import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
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

/** Opens a server whose limits hold slow and oversized clients off (Envoy's header limit; Node's strict parser). */
export function openServer(): OpenServer {
  let handler: RequestHandler | undefined
  const upgraded = new Set<Duplex>()
  const server = createServer({
    maxHeaderSize: 60 * 1024,
    headersTimeout: 15_000,
    requestTimeout: 0, // an upload may take as long as it takes; idle ones are cut by the gateway's own timeouts
    keepAliveTimeout: 75_000,
    insecureHTTPParser: false,
  })
  server.on('request', (request, response) => {
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
