import type { Dispatcher } from 'undici'
import type { Exchange } from './exchange.ts'
import { HeaderList } from './header-list.ts'
import { applyOperations } from './header-operations.ts'
import { respondText } from './respond.ts'
import type { HeaderOperations } from './virtual-service.ts'

/** How a request is forwarded. */
export interface ForwardOptions {
  /** Path and query. */
  readonly target: string
  readonly responseOperations: readonly HeaderOperations[]
  /** For the whole answer, milliseconds; `undefined` waits forever. */
  readonly timeout: number | undefined
}

/** Sends a request to an origin and streams its answer back, both ways at the reader's pace. */
export function forward(exchange: Exchange, origin: string, options: ForwardOptions): void {
  const forwarding = new Forwarding(exchange, origin, options)
  exchange.response.on('close', () => forwarding.onClose())
  forwarding.start()
}

/** Response headers of the upstream's connection, not of its answer. */
const hopByHop = new Set(['connection', 'keep-alive', 'proxy-connection', 'transfer-encoding', 'upgrade', 'trailer'])
const retriedMethods = new Set(['GET', 'HEAD', 'OPTIONS'])
const connectReset = 'upstream connect error or disconnect/reset before headers. reset reason: '

class Forwarding implements Dispatcher.DispatchHandler {
  readonly #exchange: Exchange
  readonly #origin: string
  readonly #options: ForwardOptions
  readonly #hasBody: boolean
  #controller: Dispatcher.DispatchController | undefined
  #timer: NodeJS.Timeout | undefined
  /** Bytes of the answer still to come, -1 where it does not say. */
  #remaining = -1
  #isDone = false
  #isRetried = false

  constructor(exchange: Exchange, origin: string, options: ForwardOptions) {
    this.#exchange = exchange
    this.#origin = origin
    this.#options = options
    const { headers } = exchange
    this.#hasBody = headers.isChunked || Number(headers.get('content-length') ?? 0) > 0
  }

  start(): void {
    const { context, method, headers, request } = this.#exchange
    const { target, timeout } = this.#options
    if (timeout !== undefined) this.#timer ??= setTimeout(() => this.#timeOut(), timeout)
    try {
      context.pools
        .get(this.#origin)
        .dispatch({ path: target, method, headers: headers.flat, body: this.#hasBody ? request : null }, this)
    } catch (error) {
      this.#fail(error)
    }
  }

  /** The client's side closed: after the answer, or because it went away, which cancels the upstream. */
  onClose(): void {
    clearTimeout(this.#timer)
    if (this.#isDone) return
    this.#isDone = true
    this.#controller?.abort(new Error('the client went away'))
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller
    if (this.#isDone) controller.abort(new Error('the client went away'))
  }

  onResponseStart(
    _controller: Dispatcher.DispatchController,
    status: number,
    headers: Readonly<Record<string, string | string[] | undefined>>,
    message?: string,
  ): void {
    if (status < 200 || this.#isDone) return
    const length = headers['content-length']
    this.#remaining = typeof length === 'string' ? Number(length) : -1
    const flat = this.#answerHeaders(headers)
    const { response } = this.#exchange
    if (message) response.writeHead(status, message, flat)
    else response.writeHead(status, flat)
    // an answer may be long in coming after its head (server-sent events): the head goes at once
    if (this.#remaining < 0) response.flushHeaders()
  }

  #answerHeaders(headers: Readonly<Record<string, string | string[] | undefined>>): string[] {
    const flat: string[] = []
    for (const name in headers) {
      if (hopByHop.has(name)) continue
      const value = headers[name]
      if (typeof value === 'string') flat.push(name, value)
      else for (const one of value ?? []) flat.push(name, one)
    }
    const { responseOperations } = this.#options
    if (responseOperations.length > 0) {
      const list = new HeaderList(flat)
      for (const operations of responseOperations) applyOperations(list, operations)
    }
    const { responseHeaders } = this.#exchange
    return responseHeaders.length === 0 ? flat : [...flat, ...responseHeaders]
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    if (this.#isDone) return
    const { response } = this.#exchange
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
    clearTimeout(this.#timer)
    if (this.#isDone) return
    this.#isDone = true
    const { response } = this.#exchange
    const given = Object.entries(trailers ?? {}).filter(([, value]) => typeof value === 'string')
    if (given.length > 0) response.addTrailers(Object.fromEntries(given) as Record<string, string>) // filtered above
    response.end()
  }

  onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
    this.#fail(error)
  }

  #timeOut(): void {
    if (this.#isDone) return
    this.#end(504, 'upstream request timeout')
    this.#controller?.abort(new Error('the route timed out'))
  }

  #fail(error: unknown): void {
    if (this.#isDone) return
    const { code } = error as { code?: unknown }
    if (code === 'UND_ERR_SOCKET' && this.#mayRetry()) {
      // a kept-alive connection the upstream closed at that very moment
      this.#isRetried = true
      this.start()
      return
    }
    clearTimeout(this.#timer)
    const { requestId, context } = this.#exchange
    context.log.warn('upstream failed', { requestId, origin: this.#origin, cause: error })
    const [status, text] = failureOf(code)
    this.#end(status, text)
  }

  #mayRetry(): boolean {
    const { method, response } = this.#exchange
    return !this.#isRetried && !this.#hasBody && retriedMethods.has(method) && !response.headersSent
  }

  /** Tells the client of a failure; where the answer had begun, it is cut off, so that nobody takes it for whole. */
  #end(status: number, text: string): void {
    this.#isDone = true
    const { response } = this.#exchange
    if (response.headersSent) response.destroy()
    else respondText(this.#exchange, status, text)
  }
}

/** Envoy's local replies. */
function failureOf(code: unknown): readonly [status: number, text: string] {
  switch (code) {
    case 'UND_ERR_SOCKET':
    case 'ECONNRESET':
    case 'EPIPE':
      return [503, `${connectReset}connection termination`]
    case 'UND_ERR_CONNECT_TIMEOUT':
      return [503, `${connectReset}connection timeout`]
    case 'UND_ERR_REQ_CONTENT_LENGTH_MISMATCH':
      return [400, 'the body is not as long as it says']
    case 'UND_ERR_INVALID_ARG':
      return [400, 'bad request']
    case 'UND_ERR_RES_CONTENT_LENGTH_MISMATCH':
    case 'UND_ERR_HEADERS_OVERFLOW':
      return [502, `${connectReset}protocol error`]
    default:
      if (typeof code === 'string' && code.startsWith('HPE_')) return [502, `${connectReset}protocol error`]
      return [503, `${connectReset}connection failure`]
  }
}
