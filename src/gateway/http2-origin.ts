import {
  type ClientHttp2Session,
  type ClientHttp2Stream,
  connect,
  constants,
  type IncomingHttpHeaders,
} from 'node:http2'
import { connect as connectSocket } from 'node:net'
import type { Readable } from 'node:stream'
import type { Dispatcher } from 'undici'

/** A request to an origin, its headers flat and without those of a connection. */
export interface Http2OriginRequest {
  /** Path and query. */
  readonly path: string
  readonly method: string
  readonly headers: readonly string[]
  readonly body: Readable | null
}

/**
 * An origin that speaks HTTP/2: without TLS by prior knowledge. It takes requests as undici's pools do, but keeps what
 * undici (8.12) drops: the part of an answer that a paused reader had not taken when the trailers came.
 */
export interface Http2Origin {
  dispatch(request: Http2OriginRequest, handler: Dispatcher.DispatchHandler): void
  destroy(): void
}

/** Until the origin has said how many streams it takes, and at most (RFC 9113 §6.5.2 advises no fewer). */
const streamsOfOne = 100
const idleMilliseconds = 60_000

interface Connection {
  readonly session: ClientHttp2Session
  open: number
}

/** Opens connections as they are needed; who finds no free stream on one opens another. */
export function openHttp2Origin(origin: string, { connectTimeout }: { connectTimeout: number }): Http2Origin {
  const connections = new Set<Connection>()

  function open(): Connection {
    const session = connect(origin, { settings: { enablePush: false }, ...plainSocket(origin) })
    const connection = { session, open: 0 }
    connections.add(connection)
    const tooLate = setTimeout(() => session.destroy(failure('ETIMEDOUT', 'no connection in time')), connectTimeout)
    session.once('connect', () => clearTimeout(tooLate))
    session.on('error', () => connections.delete(connection)) // its streams tell
    session.on('goaway', () => connections.delete(connection))
    session.on('close', () => {
      clearTimeout(tooLate)
      connections.delete(connection)
    })
    session.setTimeout(idleMilliseconds, () => {
      if (connection.open === 0) session.close()
    })
    return connection
  }

  function free(): Connection {
    for (const one of connections) {
      const { maxConcurrentStreams = streamsOfOne } = one.session.remoteSettings ?? {}
      if (one.open < Math.min(maxConcurrentStreams, streamsOfOne) && !one.session.closed) return one
    }
    return open()
  }

  return {
    dispatch(request, handler) {
      const connection = free()
      const stream = connection.session.request(headOf(origin, request), { endStream: request.body === null })
      connection.open += 1
      connection.session.ref()
      stream.once('close', () => {
        connection.open -= 1
        if (connection.open === 0 && !connection.session.destroyed) connection.session.unref()
      })
      follow(stream, request.body, handler)
    },
    destroy() {
      for (const { session } of connections) session.destroy()
    },
  }
}

/** Without TLS the socket is ours to make: TCP's own probes find an origin that is gone. */
function plainSocket(origin: string) {
  if (!origin.startsWith('http:')) return {}
  const { hostname, port } = new URL(origin)
  const host = hostname.replace(/^\[|\]$/g, '')
  const options = { host, port: Number(port || 80), keepAlive: true, keepAliveInitialDelay: idleMilliseconds }
  return { createConnection: () => connectSocket(options) }
}

function headOf(origin: string, { path, method, headers }: Http2OriginRequest): string[] {
  const [scheme = 'http', authority = ''] = origin.split('://')
  const head = [':method', method, ':scheme', scheme, ':authority', authority, ':path', path]
  for (let at = 0; at < headers.length; at += 2) {
    const [name = '', value = ''] = [headers[at], headers[at + 1]]
    if (name === 'host') head[5] = value
    else head.push(name, value)
  }
  return head
}

/** Tells `handler` what becomes of a request, as undici does. */
function follow(stream: ClientHttp2Stream, body: Readable | null, handler: Dispatcher.DispatchHandler): void {
  const controller = controllerOf(stream)
  let trailers: IncomingHttpHeaders = {}
  let isOver = false
  const fail = (error: Error): void => {
    if (isOver) return
    isOver = true
    handler.onResponseError?.(controller, error)
  }
  handler.onRequestStart?.(controller, undefined)
  stream.on('response', ({ ':status': status = 0, ...headers }) => {
    handler.onResponseStart?.(controller, status, headers)
    stream.on('data', (chunk: Buffer) => handler.onResponseData?.(controller, chunk))
  })
  stream.on('trailers', (received) => {
    trailers = received
  })
  stream.on('end', () => {
    if (isOver || stream.rstCode) return
    isOver = true
    handler.onResponseEnd?.(controller, trailers)
  })
  stream.on('error', (error: NodeJS.ErrnoException) => fail(asTold(error)))
  stream.on('close', () => fail(failure('UND_ERR_SOCKET', 'closed before the answer was whole')))
  if (!body) return
  body.on('error', () => stream.close(constants.NGHTTP2_CANCEL))
  body.pipe(stream)
}

/** What concerns the connection is told by its own code, what HTTP/2 says of a stream as a connection that broke. */
function asTold(error: NodeJS.ErrnoException): Error {
  return error.code?.startsWith('ERR_HTTP2') ? failure('UND_ERR_SOCKET', error.message) : error
}

function failure(code: string, message: string): Error {
  return Object.assign(new Error(message), { code })
}

function controllerOf(stream: ClientHttp2Stream): Dispatcher.DispatchController {
  let reason: Error | null = null
  return {
    get aborted() {
      return reason !== null
    },
    get paused() {
      return stream.isPaused()
    },
    get reason() {
      return reason
    },
    rawHeaders: null,
    rawTrailers: null,
    pause: () => stream.pause(),
    resume: () => stream.resume(),
    abort(why) {
      reason = why
      stream.close(constants.NGHTTP2_CANCEL)
    },
  }
}
