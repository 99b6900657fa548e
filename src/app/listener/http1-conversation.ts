import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import type { Conversation } from './connections.ts'
import type { Limits } from './limits.ts'

const bodyTooSlow = 'body too slow'

/** An HTTP/1.1 connection: one request after another, or a WebSocket. */
export class Http1Conversation implements Conversation {
  readonly #socket: Socket
  readonly #limits: Limits
  readonly #openedAt: number
  #request: IncomingMessage | undefined
  #response: ServerResponse | undefined
  /** Requests that came before the answer to an earlier one. */
  #queued = 0
  /** Where the reading of the current body stood at the beginning of its last stretch of time. */
  #stretch: { readonly since: number; readonly bytes: number } | undefined
  #unwantedSince: number | undefined
  isUpgraded = false
  hasAsked = false

  constructor(socket: Socket, { limits, now }: { limits: Limits; now: () => number }) {
    this.#socket = socket
    this.#limits = limits
    this.#openedAt = now()
  }

  get isIdle(): boolean {
    if (this.isUpgraded) return false
    return this.#response === undefined || (this.#response.writableFinished && this.#request?.complete === true)
  }

  /** A request has come. `false` where it is one too many. */
  begin(request: IncomingMessage, response: ServerResponse): boolean {
    if (this.#response && !this.#response.writableFinished) {
      this.#queued += 1
      if (this.#queued > this.#limits.pipelined) return false
      response.once('close', () => {
        this.#queued -= 1
      })
    }
    this.hasAsked = true
    this.#request = request
    this.#response = response
    this.#stretch = undefined
    this.#unwantedSince = undefined
    return true
  }

  judge(now: number): string | undefined {
    const request = this.#request
    const response = this.#response
    if (this.isUpgraded) return this.#socket.writableEnded ? this.#judgeUnwanted(now, 'not hung up') : undefined
    if (!request || !response) return now - this.#openedAt >= this.#limits.head ? 'no request' : undefined
    if (request.complete) return undefined
    if (response.writableFinished) return this.#judgeUnwanted(now, 'unwanted body')
    const bytes = this.#socket.bytesRead
    const { since, bytes: before } = this.#stretch ?? { since: now, bytes }
    const hasMoved = bytes - before >= this.#limits.bodyMinimum
    if (!this.#stretch || hasMoved || request.readableLength > 0) {
      this.#stretch = { since: now, bytes } // where we are slow ourselves, time does not count
      return undefined
    }
    if (now - since < this.#limits.bodyIdle) return undefined
    this.#tellTooSlow(response)
    return bodyTooSlow
  }

  /** We have said all we had to say; the client had better come to an end too. */
  #judgeUnwanted(now: number, reason: string): string | undefined {
    this.#unwantedSince ??= now
    return now - this.#unwantedSince >= this.#limits.unwantedBody ? reason : undefined
  }

  /** Nothing went either way for `bodyIdle`. @returns why the connection is to be cut, or nothing where it may wait on. */
  timeOut(): string | undefined {
    if (this.isUpgraded) return undefined
    if (this.isIdle) return 'idle'
    return this.#socket.writableLength > 0 ? 'answer not read' : undefined
  }

  end(): void {
    if (this.isUpgraded) this.#socket.destroy()
  }

  /** Only where no other answer is under way. */
  #tellTooSlow(response: ServerResponse): void {
    if (response.headersSent || response.socket !== this.#socket) return
    const text = `${bodyTooSlow}\n`
    const head = [
      'HTTP/1.1 408 Request Timeout',
      'connection: close',
      'content-type: text/plain',
      `content-length: ${text.length}`,
    ]
    this.#socket.write(`${head.join('\r\n')}\r\n\r\n${text}`)
  }
}
