import type { IncomingHttpHeaders, ServerHttp2Stream } from 'node:http2'
import process from 'node:process'
import { Readable } from 'node:stream'

/** What a request tells of its connection; it is shared by the requests of others, so nobody gets to close it. */
export interface ConnectionAddresses {
  readonly remoteAddress: string | undefined
  readonly remotePort: number | undefined
  readonly localAddress: string | undefined
  readonly localPort: number | undefined
}

/**
 * An HTTP/2 request read as the HTTP/1.1 message it could have been, so that gateway and parts know one kind only:
 * `:authority` is `Host`, cookies are one header (RFC 9113 §8.2.3), a body of no told length comes in chunks.
 */
export class Http2Request extends Readable {
  readonly httpVersion = '1.1'
  readonly httpVersionMajor = 1
  readonly httpVersionMinor = 1
  readonly method: string
  readonly socket: ConnectionAddresses
  url: string
  rawHeaders: string[]
  headers: IncomingHttpHeaders
  /** Whether the body has come to its end. */
  complete: boolean
  /** Bytes of the body so far. */
  received = 0
  readonly #stream: ServerHttp2Stream

  constructor(stream: ServerHttp2Stream, head: RequestHead, socket: ConnectionAddresses) {
    super({ emitClose: true })
    this.#stream = stream
    this.method = head.method
    this.url = head.path
    this.rawHeaders = head.rawHeaders
    this.headers = headersOf(head.rawHeaders)
    this.socket = socket
    this.complete = stream.endAfterHeaders
    if (this.complete) this.push(null)
    stream.on('data', (chunk: Buffer) => {
      this.received += chunk.length
      if (!this.push(chunk)) stream.pause()
    })
    stream.on('end', () => {
      if (this.complete) return
      this.complete = true
      this.push(null)
    })
    stream.on('close', () => {
      if (!this.complete) this.destroy(Object.assign(new Error('aborted'), { code: 'ECONNRESET' }))
    })
    if (!this.complete) stream.pause()
  }

  override _read(): void {
    this.#stream.resume()
  }

  /** Like one of `node:http`, a request that nobody listens to fails in silence. */
  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    process.nextTick(() => done(this.listenerCount('error') > 0 ? error : null))
  }
}

/** The head of a request, in HTTP/1.1's words. */
export interface RequestHead {
  readonly method: string
  readonly path: string
  /** Flat, names in lower case. */
  readonly rawHeaders: string[]
}

/**
 * Reads the head of a request from its raw fields; `undefined` where it is malformed (RFC 9113 §8.3.1) in a way the
 * protocol's own checks let pass: a `host` that is not the `:authority`, a `:path` that is none.
 */
export function readRequestHead(fields: readonly string[], hasBody: boolean): RequestHead | undefined {
  const pseudo = new Map<string, string>()
  const rawHeaders: string[] = []
  let cookie: string | undefined
  let host: string | undefined
  let hasLength = false
  for (let at = 0; at < fields.length; at += 2) {
    const name = fields[at] ?? ''
    const value = fields[at + 1] ?? ''
    if (name.startsWith(':')) pseudo.set(name, value)
    else if (name === 'cookie') cookie = cookie === undefined ? value : `${cookie}; ${value}`
    else if (name === 'host') {
      if (host !== undefined) return undefined
      host = value
    } else {
      if (name === 'content-length') hasLength = true
      rawHeaders.push(name, value)
    }
  }
  const authority = pseudo.get(':authority') ?? host
  const path = pseudo.get(':path') ?? ''
  if (authority === undefined || !path.startsWith('/')) return undefined
  if (host !== undefined && host.toLowerCase() !== authority.toLowerCase()) return undefined
  if (cookie !== undefined) rawHeaders.push('cookie', cookie)
  if (hasBody && !hasLength) rawHeaders.push('transfer-encoding', 'chunked')
  return { method: pseudo.get(':method') ?? '', path, rawHeaders: ['host', authority, ...rawHeaders] }
}

/** As Node reads them of an HTTP/1.1 message, but that repeated ones are always joined. */
function headersOf(raw: readonly string[]): IncomingHttpHeaders {
  const headers: Record<string, string> = Object.create(null)
  for (let at = 0; at < raw.length; at += 2) {
    const name = raw[at] ?? ''
    const before = headers[name]
    headers[name] = before === undefined ? (raw[at + 1] ?? '') : `${before}, ${raw[at + 1]}`
  }
  return headers
}
