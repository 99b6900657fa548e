import type { Readable } from 'node:stream'
import type { Dispatcher } from 'undici'
import type { HeaderList } from '../../../gateway/header-list.ts'
import { KeptBody } from '../../../gateway/kept-body.ts'
import { sendHead } from '../../../http/answer-bytes.ts'
import { connectionNames } from './hop-headers.ts'
import type { Origin } from './origin.ts'
import { ownHeaders, type Visit } from './visit.ts'

/** How a request is forwarded. */
export interface ForwardOptions {
  readonly origin: Pick<Origin, 'dispatch'>
  readonly headers: HeaderList
  /** The body, where it has been read already. */
  readonly body?: Readable | undefined
  /** From the end of the request to the head of its answer, milliseconds; 0 waits forever. */
  readonly timeout: number
  /** Told where nothing could be answered. */
  readonly failed: (error: unknown) => void
  /** Told of an answer that may go on for long. */
  readonly lasts: () => void
}

/** Sends a request and streams its answer back, both ways at the reader's pace and at once. */
export function forward(visit: Visit, options: ForwardOptions): void {
  const forwarding = new Forwarding(visit, options)
  forwarding.start()
  visit.response.on('close', () => forwarding.onClose())
}

const repeatableMethods: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE'])

class Forwarding implements Dispatcher.DispatchHandler {
  readonly #visit: Visit
  readonly #options: ForwardOptions
  readonly #body: KeptBody | undefined
  #controller: Dispatcher.DispatchController | undefined
  #timer: NodeJS.Timeout | undefined
  #tries = 0
  /** Bytes of the answer still to come, -1 where it does not say. */
  #remaining = -1
  #isDone = false

  constructor(visit: Visit, options: ForwardOptions) {
    this.#visit = visit
    this.#options = options
    const source = options.body ?? visit.request
    const hasBody = options.headers.isChunked || Number(options.headers.get('content-length') ?? 0) > 0
    this.#body = hasBody ? new KeptBody(source, 0) : undefined
    if (this.#body) source.once('end', () => this.#startTimer())
  }

  start(): void {
    const { request, target } = this.#visit
    const { origin, headers } = this.#options
    const { method = 'GET' } = request
    this.#tries += 1
    if (!this.#body) this.#startTimer()
    try {
      origin.dispatch({ path: target, method, headers: headers.flat, body: this.#body?.open() ?? null }, this)
    } catch (error) {
      this.#fail(error)
    }
  }

  #startTimer(): void {
    const { timeout } = this.#options
    if (timeout > 0 && !this.#isDone && !this.#visit.response.headersSent) {
      this.#timer ??= setTimeout(() => this.#timeOut(), timeout)
    }
  }

  #timeOut(): void {
    if (this.#isDone) return
    this.#fail(new Error('timeout awaiting response headers'))
    this.#controller?.abort(new Error('the upstream timed out'))
  }

  /** The client's side closed: after the answer, or because it went away, which cancels the upstream. */
  onClose(): void {
    clearTimeout(this.#timer)
    this.#body?.drain()
    if (this.#isDone) return
    this.#isDone = true
    this.#controller?.abort(new Error('the client went away'))
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller
    if (this.#isDone) controller.abort(new Error('the client went away'))
  }

  onResponseStart(
    controller: Dispatcher.DispatchController,
    status: number,
    headers: Readonly<Record<string, string | string[] | undefined>>,
    message?: string,
  ): void {
    if (status < 200 || this.#isDone) return
    clearTimeout(this.#timer)
    const { response } = this.#visit
    const length = headers['content-length']
    this.#remaining = typeof length === 'string' ? Number(length) : -1
    const flat = answerHeaders(headers, ownHeaders(this.#visit))
    try {
      if (message) response.writeHead(status, message, flat)
      else response.writeHead(status, flat)
    } catch (error) {
      this.#fail(error) // a header no browser should see
      controller.abort(new Error('the answer is malformed'))
      return
    }
    if (this.#remaining >= 0) return
    // an answer may be long in coming after its head (server-sent events): the head goes at once
    sendHead(response)
    this.#options.lasts()
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    if (this.#isDone) return
    const { response, tally } = this.#visit
    tally.bytes += chunk.length
    if (this.#remaining >= 0) {
      this.#remaining -= chunk.length
      if (this.#remaining === 0) {
        this.#isDone = true
        response.end(chunk) // head and body in one write
        return
      }
    }
    if (response.write(chunk)) return
    controller.pause()
    response.once('drain', () => controller.resume())
  }

  onResponseEnd(_controller: Dispatcher.DispatchController, trailers: Readonly<Record<string, unknown>>): void {
    if (this.#isDone) return
    this.#isDone = true
    const { response } = this.#visit
    const given = Object.entries(trailers ?? {}).filter(([, value]) => typeof value === 'string')
    if (given.length > 0) response.addTrailers(Object.fromEntries(given) as Record<string, string>) // filtered above
    response.end()
  }

  onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
    this.#fail(error)
  }

  #fail(error: unknown): void {
    if (this.#isDone) return
    clearTimeout(this.#timer)
    const { response, request } = this.#visit
    const { code } = error as { code?: unknown }
    const wasClosed = code === 'UND_ERR_SOCKET' || code === 'ECONNRESET' || code === 'EPIPE'
    const mayRepeat = repeatableMethods.has(request.method ?? '') && !this.#body && !response.headersSent
    if (wasClosed && this.#tries === 1 && mayRepeat) {
      this.start() // a kept-alive connection the upstream closed at that very moment
      return
    }
    this.#isDone = true
    // an answer that had begun is cut off, so that nobody takes it for whole
    if (response.headersSent) response.destroy()
    else this.#options.failed(error)
  }
}

function answerHeaders(
  headers: Readonly<Record<string, string | string[] | undefined>>,
  own: readonly string[],
): string[] {
  const flat = [...own] // ours first: of two of one name many clients read the first
  const dropped = connectionNames(headers['connection'])
  for (const name in headers) {
    if (dropped.has(name)) continue
    const value = headers[name]
    if (typeof value === 'string') flat.push(name, value)
    else for (const one of value ?? []) flat.push(name, one)
  }
  return flat
}
