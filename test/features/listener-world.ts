import { type ClientHttp2Session, connect as connectHttp2, type IncomingHttpHeaders } from 'node:http2'
import { connect, type Socket } from 'node:net'
import { listenOnFreePort } from '../../src/app/listening/listen-on-free-port.ts'
import { openServer, type RequestHandler, type ServerOptions } from '../../src/app/open-server.ts'

/** The public listener on a free port in front of a handler. */
export interface ListenerWorld {
  readonly port: number
  /** A bare connection; a reset is a close like any other. */
  dial(from?: string): Socket
  close(graceMilliseconds?: number): Promise<void>
}

export async function listenerWorld({
  handler,
  isBehindProxies = false,
  ...options
}: {
  handler: Partial<RequestHandler>
  isBehindProxies?: boolean
} & ServerOptions): Promise<ListenerWorld> {
  const opened = openServer(options)
  opened.serve(
    { handle: (_, response) => response.end(), upgrade: (_, socket) => socket.destroy(), ...handler },
    { isBehindProxies },
  )
  const port = await listenOnFreePort(opened.server, { port: 0, host: '127.0.0.1' })
  return {
    port,
    dial(from = '127.0.0.1') {
      const socket = connect({ port, host: '127.0.0.1', localAddress: from })
      socket.on('error', () => {})
      return socket
    },
    close: (graceMilliseconds = 0) => opened.close(graceMilliseconds),
  }
}

/** An answer over HTTP/2, as it came. */
export interface Http2Reply {
  readonly headers: IncomingHttpHeaders
  /** Whether the head was all there was of it. */
  readonly isHeadOnly: boolean
  readonly trailers: IncomingHttpHeaders | undefined
  readonly body: string
}

/** An HTTP/2 client by prior knowledge. */
export interface Http2Client {
  readonly session: ClientHttp2Session
  /** @throws where the stream is reset, with the code's name in the message. */
  ask(headers: Readonly<Record<string, string | string[]>>, body?: string): Promise<Http2Reply>
  close(): void
}

export function http2Client(port: number, host = '127.0.0.1'): Http2Client {
  const session = connectHttp2(`http://${host}:${port}`)
  session.on('error', () => {})
  return {
    session,
    ask(headers, body) {
      const authority =
        headers['host'] === undefined && headers[':authority'] === undefined
          ? { ':authority': 'platform.example.com' }
          : {}
      const stream = session.request({ ...authority, ...headers }, { endStream: body === undefined })
      if (body !== undefined) stream.end(body)
      return new Promise((resolve, reject) => {
        let head: IncomingHttpHeaders = {}
        let trailers: IncomingHttpHeaders | undefined
        let isHeadOnly = false
        let text = ''
        stream.on('response', (received, flags) => {
          head = received
          isHeadOnly = (flags & 1) === 1 // END_STREAM
        })
        stream.on('trailers', (received) => {
          trailers = received
        })
        stream.setEncoding('utf8')
        stream.on('data', (chunk: string) => {
          text += chunk
        })
        stream.on('error', reject)
        stream.on('close', () => resolve({ headers: head, isHeadOnly, trailers, body: text }))
      })
    },
    close: () => session.destroy(),
  }
}
