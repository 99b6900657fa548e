import { createServer, type IncomingHttpHeaders } from 'node:http'
import type { AddressInfo } from 'node:net'
import { WebSocketServer } from 'ws'

/** What an application saw of a request. */
export interface Mirrored {
  readonly url: string
  readonly headers: IncomingHttpHeaders
}

/** An application that answers with what it was sent, as JSON; on a WebSocket, too, in its first message. */
export async function openMirror(): Promise<{ readonly origin: string; close(): Promise<void> }> {
  const server = createServer({ maxHeaderSize: 64 * 1024 }, ({ url = '', headers }, response) => {
    response.setHeader('content-type', 'application/json')
    response.end(JSON.stringify({ url, headers } satisfies Mirrored))
  })
  const sockets = new WebSocketServer({ server })
  sockets.on('connection', (socket, { url = '', headers }) => {
    socket.send(JSON.stringify({ url, headers } satisfies Mirrored))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo // it listens on a port
  return {
    origin: `http://127.0.0.1:${port}`,
    close: () =>
      new Promise((resolve) => {
        for (const socket of sockets.clients) socket.terminate()
        server.closeAllConnections()
        server.close(() => resolve())
      }),
  }
}

/** Reads what the application saw. @throws SyntaxError where something else answered. */
export function mirrored(text: string): Mirrored {
  return JSON.parse(text) as Mirrored
}
