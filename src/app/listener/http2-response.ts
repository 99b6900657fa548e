import type { OutgoingHttpHeaders, ServerHttp2Stream } from 'node:http2'
import { Writable } from 'node:stream'

/** Headers of a connection, which HTTP/2 has none of (RFC 9113 §8.2.2). */
const connectionHeaders = new Set([
  'connection',
  'keep-alive',
  'proxy-connection',
  'transfer-encoding',
  'upgrade',
  'http2-settings',
  'te',
  'trailer',
])

/** How headers are given to `node:http`: by name, or flat. */
type GivenHeaders = Readonly<Record<string, unknown>> | readonly unknown[]

/**
 * The answer to an HTTP/2 request, written as one to an HTTP/1.1 request is. Its head waits for what follows, so that an
 * answer without a body ends with its head: gRPC's "trailers-only", which clients take for nothing else.
 */
export class Http2Response extends Writable {
  readonly #stream: ServerHttp2Stream
  #head: OutgoingHttpHeaders | undefined
  /** How many pieces of the body have left. */
  sent = 0
  #isSent = false
  #trailers: Readonly<Record<string, string>> = {}

  constructor(stream: ServerHttp2Stream) {
    super({ highWaterMark: stream.writableHighWaterMark })
    this.#stream = stream
    stream.on('wantTrailers', () => stream.sendTrailers(this.#trailers))
    stream.on('close', () => this.destroy())
  }

  get statusCode(): number {
    return Number(this.#head?.[':status'] ?? 200)
  }

  get headersSent(): boolean {
    return this.#head !== undefined
  }

  /** The reason phrase, which `node:http` takes before the headers, is nothing in HTTP/2. */
  writeHead(status: number, ...rest: readonly unknown[]): this {
    if (this.#head) throw new TypeError('the head of this answer was written before')
    const given = rest.find((one): one is GivenHeaders => typeof one === 'object' && one !== null)
    this.#head = answerHead(status, given ?? {})
    return this
  }

  flushHeaders(): void {
    if (!this.#isSent) this.#send(false)
  }

  addTrailers(trailers: Readonly<Record<string, string>>): void {
    this.#trailers = trailers
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: () => void): void {
    if (!this.#isSent) this.#send(false)
    // a failed write is told by the stream, which closes
    if (this.#stream.writableEnded || this.#stream.destroyed) done()
    else
      this.#stream.write(chunk, () => {
        this.sent += 1
        done()
      })
  }

  override _final(done: () => void): void {
    const hasTrailers = Object.keys(this.#trailers).length > 0
    if (!this.#isSent) this.#send(!hasTrailers)
    if (this.#stream.writableFinished || this.#stream.destroyed) done()
    else this.#stream.end(() => done())
  }

  /** An answer that is not whole must not look as if it were. */
  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    if (!this.writableFinished) this.#stream.destroy(new Error('the answer broke off')) // INTERNAL_ERROR; `close` would end it
    done(this.listenerCount('error') > 0 ? error : null)
  }

  #send(isAll: boolean): void {
    this.#isSent = true
    this.#head ??= { ':status': 200 }
    if (this.#stream.destroyed || this.#stream.closed) return
    try {
      const hasLength = this.#head['content-length'] !== undefined
      this.#stream.respond(this.#head, { endStream: isAll, waitForTrailers: !isAll && !hasLength })
    } catch {
      this.destroy() // a header HTTP/2 cannot say
    }
  }
}

/** Repeated headers are one, joined, as HTTP lets everybody do (RFC 9110 §5.3); but cookies are several. */
function answerHead(status: number, given: GivenHeaders): OutgoingHttpHeaders {
  const head: Record<string, string | string[]> = Object.create(null)
  const add = (rawName: unknown, value: unknown): void => {
    const name = String(rawName).toLowerCase()
    if (value === undefined || connectionHeaders.has(name)) return
    const values = [value].flat().map(String)
    if (name === 'set-cookie') head[name] = [...(head[name] ?? []), ...values]
    else head[name] = [...(head[name] === undefined ? [] : [head[name]]), ...values].join(', ')
  }
  if (!Array.isArray(given)) for (const [name, value] of Object.entries(given)) add(name, value)
  else if (Array.isArray(given[0])) for (const [name, value] of given) add(name, value)
  else for (let at = 0; at < given.length; at += 2) add(given[at], given[at + 1])
  return { ...head, ':status': status }
}
