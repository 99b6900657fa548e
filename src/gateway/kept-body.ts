import { Readable } from 'node:stream'

/** As much of a body as is kept to be sent again (Envoy's default `per_connection_buffer_limit_bytes`). */
export const keptBytes = 1024 * 1024

/**
 * A request body that can be sent several times: what came of it is kept until an answer begins, or until it is more
 * than `limit` bytes. Each try reads it from the start, at its own pace; only the last one opened goes on.
 */
export class KeptBody {
  readonly #source: Readable
  readonly #limit: number
  /** `undefined` once it is more than may be kept, or not needed any more. */
  #chunks: Buffer[] | undefined = []
  #size = 0
  #isEnded = false
  #reader: Readable | undefined

  constructor(source: Readable, limit: number) {
    this.#source = source
    this.#limit = limit
    source.on('data', (chunk: Buffer) => this.#take(chunk))
    source.on('end', () => {
      this.#isEnded = true
      this.#reader?.push(null)
    })
    source.on('error', (error) => this.#reader?.destroy(error))
    source.on('close', () => {
      if (!this.#isEnded) this.#reader?.destroy(new Error('the client went away'))
    })
    source.pause()
  }

  /** Whether another try can have all of it. */
  get isRepeatable(): boolean {
    return this.#chunks !== undefined
  }

  /** The body from its start, for one try. */
  open(): Readable {
    const reader = new Readable({ read: () => this.#resume(reader) })
    this.#reader = reader
    for (const chunk of this.#chunks ?? []) reader.push(chunk)
    if (this.#isEnded) reader.push(null)
    return reader
  }

  /** No further try is made. */
  release(): void {
    this.#chunks = undefined
  }

  /** Reads what nobody wants any more away, so that the client can send its next request. */
  drain(): void {
    this.release()
    this.#reader = undefined
    this.#source.resume()
  }

  #resume(reader: Readable): void {
    if (reader === this.#reader) this.#source.resume()
  }

  #take(chunk: Buffer): void {
    this.#size += chunk.length
    if (this.#size > this.#limit) this.#chunks = undefined
    this.#chunks?.push(chunk)
    if (this.#reader && !this.#reader.push(chunk)) this.#source.pause()
  }
}
