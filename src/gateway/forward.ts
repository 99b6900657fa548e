import type { Dispatcher } from 'undici'
import { sendHead } from '../http/answer-bytes.ts'
import type { Exchange } from './exchange.ts'
import { HeaderList } from './header-list.ts'
import { applyOperations } from './header-operations.ts'
import { hopsOfAnswers } from './hops-of-answers.ts'
import type { KeptBody } from './kept-body.ts'
import { refuseItself } from './refusals.ts'
import { type RetryPolicy, retriesAnswer, retriesFailure, type TryFailure } from './retries.ts'
import type { HeaderOperations } from './virtual-service.ts'

/** How a request is forwarded. */
export interface ForwardOptions {
  /** Path and query. */
  readonly target: string
  readonly isHttp2: boolean
  /** `undefined` where there is none. */
  readonly body: KeptBody | undefined
  readonly responseOperations: readonly HeaderOperations[]
  /** For the whole answer, milliseconds; `undefined` waits forever. */
  readonly timeout: number | undefined
  readonly retries: RetryPolicy
}

/** Sends a request to an origin and streams its answer back, both ways at the reader's pace. */
export function forward(exchange: Exchange, origin: string, options: ForwardOptions): void {
  const { response } = exchange
  let current: Try
  const begin = (number: number): void => {
    current = new Try(exchange, { ...options, origin, number, repeat: begin })
    current.start()
  }
  begin(0)
  const timer = options.timeout && setTimeout(() => current.timeOut(), options.timeout)
  response.on('close', () => {
    clearTimeout(timer)
    current.onClose()
    options.body?.drain()
  })
}

const repeatableMethods = new Set(['GET', 'HEAD', 'OPTIONS'])
const connectError = 'upstream connect error or disconnect/reset before headers. '
/** Envoy's default back-off: up to this long before the first repetition, doubled for each one more, to ten times. */
const backOffMilliseconds = 25

interface TryOptions extends ForwardOptions {
  readonly origin: string
  /** Counts from 0. */
  readonly number: number
  /** Begins another try in the place of this one. */
  readonly repeat: (number: number) => void
}

/** One attempt to have a request answered. */
class Try implements Dispatcher.DispatchHandler {
  readonly #exchange: Exchange
  readonly #options: TryOptions
  #controller: Dispatcher.DispatchController | undefined
  #timer: NodeJS.Timeout | undefined
  /** Bytes of the answer still to come, -1 where it does not say. */
  #remaining = -1
  #isDone = false

  constructor(exchange: Exchange, options: TryOptions) {
    this.#exchange = exchange
    this.#options = options
  }

  start(): void {
    const { context, method, headers, state } = this.#exchange
    const { origin, target, body, retries, isHttp2, number } = this.#options
    if (!state.isNative) headers.set('x-envoy-attempt-count', String(number + 1))
    const { perTryTimeout } = retries
    if (perTryTimeout !== undefined) this.#timer = setTimeout(() => this.#timeOutTry(), perTryTimeout)
    try {
      const pool = isHttp2 ? context.pools.streamHttp2(origin) : context.pools.get(origin)
      pool.dispatch({ path: target, method, headers: headers.flat, body: body?.open() ?? null }, this)
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
    clearTimeout(this.#timer)
    const grpcStatus = headers['grpc-status']
    const isFailure = retriesAnswer(
      this.#options.retries,
      status,
      typeof grpcStatus === 'string' ? grpcStatus : undefined,
    )
    if (isFailure && this.#mayRepeat()) {
      this.#repeat()
      return
    }
    this.#options.body?.release()
    const length = headers['content-length']
    this.#remaining = typeof length === 'string' ? Number(length) : -1
    const flat = this.#answerHeaders(headers)
    const { response } = this.#exchange
    if (message) response.writeHead(status, message, flat)
    else response.writeHead(status, flat)
    // a head that says how a call ended is all there is (gRPC "trailers-only"); over HTTP/2 it ends the answer itself
    if (this.#remaining >= 0 || grpcStatus !== undefined) return
    // an answer may be long in coming after its head (server-sent events): the head goes at once
    sendHead(response)
    const { context, tokenSession, providerSession } = this.#exchange
    context.sockets.add(response, [tokenSession, providerSession])
  }

  #answerHeaders(headers: Readonly<Record<string, string | string[] | undefined>>): string[] {
    const flat: string[] = []
    for (const name in headers) {
      if (hopsOfAnswers.has(name)) continue
      const value = headers[name]
      if (typeof value === 'string') flat.push(name, value)
      else for (const one of value ?? []) flat.push(name, one)
    }
    const { responseOperations } = this.#options
    if (responseOperations.length > 0) {
      const list = new HeaderList(flat)
      for (const operations of responseOperations) applyOperations(list, operations, this.#exchange)
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

  /** The time for the whole answer is up. */
  timeOut(): void {
    if (this.#isDone) return
    this.#end(504, 'upstream request timeout')
    this.#controller?.abort(new Error('the route timed out'))
  }

  #timeOutTry(): void {
    if (this.#isDone || this.#exchange.response.headersSent) return
    if (this.#mayRepeat() && retriesFailure(this.#options.retries, 'timeout')) this.#repeat()
    else this.timeOut()
  }

  #fail(error: unknown): void {
    if (this.#isDone) return
    clearTimeout(this.#timer)
    const { code } = error as { code?: unknown }
    const { number, origin, retries, repeat } = this.#options
    const { requestId, context, method } = this.#exchange
    if (code === 'UND_ERR_SOCKET' && number === 0 && repeatableMethods.has(method) && this.#isWhole()) {
      // a kept-alive connection the upstream closed at that very moment
      this.#isDone = true
      repeat(1)
      return
    }
    const failure = failureKindOf(code)
    if (failure && this.#mayRepeat() && retriesFailure(retries, failure)) {
      this.#repeat()
      return
    }
    context.log.warn('upstream failed', { requestId, origin, cause: error })
    const [status, text] = failureOf(code, number > 0 ? 'retried and the latest reset reason: ' : 'reset reason: ')
    this.#end(status, text)
  }

  /** Whether everything that was sent could be sent again, and nothing was answered yet. */
  #isWhole(): boolean {
    return this.#options.body?.isRepeatable !== false && !this.#exchange.response.headersSent
  }

  #mayRepeat(): boolean {
    return this.#options.number < this.#options.retries.attempts && this.#isWhole()
  }

  /** Gives this try up for another one, after a pause. */
  #repeat(): void {
    const { number, repeat } = this.#options
    const { response, context } = this.#exchange
    this.#isDone = true
    clearTimeout(this.#timer)
    this.#controller?.abort(new Error('tried again'))
    const longest = backOffMilliseconds * Math.min(2 ** number, 10)
    const pause = (context.random.bytes(2).readUInt16BE() / 2 ** 16) * longest
    setTimeout(() => {
      if (!response.destroyed && !response.headersSent) repeat(number + 1)
    }, pause)
  }

  /** Tells the client of a failure; where the answer had begun, it is cut off, so that nobody takes it for whole. */
  #end(status: number, text: string): void {
    this.#isDone = true
    const { response } = this.#exchange
    if (response.headersSent) response.destroy()
    else refuseItself(this.#exchange, { status, text, reason: `${this.#options.origin}: ${text}` })
  }
}

const resets: readonly unknown[] = ['UND_ERR_SOCKET', 'ECONNRESET', 'EPIPE']
const connectFailures: readonly unknown[] = [
  'ECONNREFUSED',
  'UND_ERR_CONNECT_TIMEOUT',
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOTFOUND',
  'EAI_AGAIN',
]

function failureKindOf(code: unknown): TryFailure | undefined {
  if (resets.includes(code)) return 'reset'
  return connectFailures.includes(code) ? 'connect-failure' : undefined
}

/** Envoy's local replies. */
function failureOf(code: unknown, lead: string): readonly [status: number, text: string] {
  switch (code) {
    case 'UND_ERR_SOCKET':
    case 'ECONNRESET':
    case 'EPIPE':
      return [503, `${connectError}${lead}connection termination`]
    case 'UND_ERR_CONNECT_TIMEOUT':
      return [503, `${connectError}${lead}connection timeout`]
    case 'UND_ERR_REQ_CONTENT_LENGTH_MISMATCH':
      return [400, 'the body is not as long as it says']
    case 'UND_ERR_INVALID_ARG':
      return [400, 'bad request']
    case 'UND_ERR_RES_CONTENT_LENGTH_MISMATCH':
    case 'UND_ERR_HEADERS_OVERFLOW':
      return [502, `${connectError}${lead}protocol error`]
    default:
      if (typeof code === 'string' && code.startsWith('HPE_')) return [502, `${connectError}${lead}protocol error`]
      return [503, `${connectError}${lead}remote connection failure`]
  }
}
