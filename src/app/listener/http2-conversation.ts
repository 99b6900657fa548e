import { constants, performServerHandshake, type ServerHttp2Session, type ServerHttp2Stream } from 'node:http2'
import type { Socket } from 'node:net'
import type { Conversation } from './connections.ts'
import { type ConnectionAddresses, Http2Request, readRequestHead } from './http2-request.ts'
import { Http2Response } from './http2-response.ts'
import { type Limits, maxHeaderBytes } from './limits.ts'

/** What answers the requests of a connection. */
export type Http2Handler = (request: Http2Request, response: Http2Response) => void

/** Frames and requests beyond what is allowed: so many end the connection. */
const tooManyInvalid = 100
/** A stream its client takes back sooner was asked for nothing, milliseconds (Envoy `premature_reset_min_stream_lifetime`). */
const prematureMilliseconds = 1000

interface OpenStream {
  readonly request: Http2Request
  readonly response: Http2Response
  readonly isCall: boolean
  /** Where its body stood at the beginning of the last stretch of time. */
  since: number
  received: number
  /** Since when the client does not take what is there for it. */
  stalledSince: number | undefined
  sent: number
}

/** An HTTP/2 connection without TLS, by prior knowledge (RFC 9113 §3.3): what gRPC clients speak. */
export class Http2Conversation implements Conversation {
  readonly #session: ServerHttp2Session
  readonly #limits: Limits
  readonly #handle: Http2Handler
  readonly #addresses: ConnectionAddresses
  readonly #now: () => number
  readonly #streams = new Map<ServerHttp2Stream, OpenStream>()
  #idleSince: number
  #closedStreams = 0
  #prematureResets = 0
  #controlFrames = 0
  #controlSince: number
  hasAsked = false

  constructor(socket: Socket, { limits, now, handle }: { limits: Limits; now: () => number; handle: Http2Handler }) {
    const { remoteAddress, remotePort, localAddress, localPort } = socket
    this.#addresses = { remoteAddress, remotePort, localAddress, localPort }
    this.#limits = limits
    this.#handle = handle
    this.#now = now
    this.#idleSince = now()
    this.#controlSince = now()
    this.#session = performServerHandshake(socket, {
      maxHeaderListPairs: 1000,
      maxSessionInvalidFrames: tooManyInvalid,
      maxSessionRejectedStreams: tooManyInvalid,
      settings: {
        maxConcurrentStreams: limits.streams,
        maxHeaderListSize: maxHeaderBytes,
        enableConnectProtocol: false, // WebSockets come over HTTP/1.1
      },
    })
    this.#session.on('error', () => socket.destroy())
    this.#session.on('stream', (stream, _headers, _flags, rawHeaders) => this.#begin(stream, rawHeaders))
    this.#session.on('remoteSettings', () => this.#count())
    this.#session.on('ping', () => {
      if (this.isIdle) this.#count() // gRPC measures its way with pings while an answer comes
    })
  }

  get isIdle(): boolean {
    return this.#streams.size === 0
  }

  judge(now: number): string | undefined {
    if (this.#session.destroyed) return undefined
    if (this.#controlFrames > this.#limits.controlFrames) return 'too many HTTP/2 control frames'
    if (now - this.#controlSince >= this.#limits.bodyIdle) {
      this.#controlSince = now
      this.#controlFrames = 0
    }
    if (this.isIdle) return this.#judgeIdle(now)
    let waiting = 0
    for (const [stream, open] of this.#streams) {
      waiting += open.response.writableLength + open.request.readableLength + stream.readableLength
      if (this.#isStuck(open, now)) stream.destroy(new Error('the client is too slow'))
    }
    return waiting > this.#limits.waitingBytes ? 'too much unread over HTTP/2' : undefined
  }

  end(): void {
    this.#session.close()
  }

  #judgeIdle(now: number): string | undefined {
    const idle = now - this.#idleSince
    if (!this.hasAsked) return idle >= this.#limits.head ? 'no request' : undefined
    if (idle >= this.#limits.keepAlive && !this.#session.closed) this.#session.close() // tells with GOAWAY; the client comes again
    return undefined
  }

  /** Whether a stream waits for its client too long. A gRPC client may be silent as long as it likes, but must read. */
  #isStuck(open: OpenStream, now: number): boolean {
    const { request, response, isCall } = open
    const { bodyIdle, bodyMinimum } = this.#limits
    if (response.writableLength === 0 || response.sent !== open.sent) {
      open.sent = response.sent
      open.stalledSince = undefined
    } else {
      open.stalledSince ??= now
      if (now - open.stalledSince >= bodyIdle) return true
    }
    if (isCall || request.complete) return false
    if (request.received - open.received >= bodyMinimum || request.readableLength > 0) {
      open.since = now
      open.received = request.received
    }
    return now - open.since >= bodyIdle
  }

  #begin(stream: ServerHttp2Stream, rawHeaders: readonly string[]): void {
    stream.on('error', () => {}) // it closes; that is all there is to know
    this.hasAsked = true
    const head = readRequestHead(rawHeaders, !stream.endAfterHeaders)
    if (!head) {
      this.#countClosed(stream, this.#now())
      stream.respond({ ':status': 400, 'content-type': 'text/plain' })
      stream.end('bad request')
      return
    }
    const request = new Http2Request(stream, head, this.#addresses)
    if (request.headers['expect']?.toLowerCase() === '100-continue') stream.additionalHeaders({ ':status': 100 })
    const response = new Http2Response(stream)
    const now = this.#now()
    const isCall = request.headers['content-type']?.startsWith('application/grpc') === true
    this.#streams.set(stream, {
      request,
      response,
      isCall,
      since: now,
      received: 0,
      stalledSince: undefined,
      sent: 0,
    })
    this.#countClosed(stream, now)
    // the rest of a body nobody wants any more is taken back (RFC 9113 §8.1)
    response.once('finish', () =>
      setImmediate(() => {
        if (!request.complete) stream.close(constants.NGHTTP2_NO_ERROR)
      }),
    )
    this.#handle(request, response)
  }

  #countClosed(stream: ServerHttp2Stream, since: number): void {
    stream.once('close', () => {
      this.#streams.delete(stream)
      const now = this.#now()
      this.#idleSince = now
      this.#closedStreams += 1
      const isPremature = stream.aborted && now - since < prematureMilliseconds
      if (isPremature) this.#prematureResets += 1
      const isJudged = this.#closedStreams >= this.#limits.judgedStreams
      if (isJudged && this.#prematureResets > this.#closedStreams / 2) this.#calmDown()
    })
  }

  #count(): void {
    this.#controlFrames += 1
    if (this.#controlFrames > this.#limits.controlFrames) this.#calmDown()
  }

  #calmDown(): void {
    this.#session.destroy(undefined, constants.NGHTTP2_ENHANCE_YOUR_CALM)
  }
}
