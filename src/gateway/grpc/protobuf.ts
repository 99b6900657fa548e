/**
 * As much of the protocol buffers encoding as the check messages need: varints and length-delimited fields. Fields of
 * other kinds are skipped, as proto3 asks of readers of older schemas.
 */

/** Writes one message, field by field; what proto3 leaves out (empty texts, zeros) is left out. */
export class MessageWriter {
  readonly #chunks: Buffer[] = []

  text(field: number, value: string): this {
    return value === '' ? this : this.bytes(field, Buffer.from(value, 'utf8'))
  }

  bytes(field: number, value: Buffer): this {
    this.#chunks.push(varint(BigInt(field * 8 + 2)), varint(BigInt(value.length)), value)
    return this
  }

  /** A number of type `int64`, `uint32`, `bool` or of an enum. */
  integer(field: number, value: number): this {
    if (value !== 0) this.#chunks.push(varint(BigInt(field * 8)), varint(BigInt.asUintN(64, BigInt(value))))
    return this
  }

  message(field: number, value: MessageWriter): this {
    return this.bytes(field, value.finish())
  }

  finish(): Buffer {
    return Buffer.concat(this.#chunks)
  }
}

/** The fields of one message; a field that came several times keeps all its values. */
export class MessageReader {
  readonly #bytes = new Map<number, Buffer[]>()
  readonly #integers = new Map<number, bigint>()

  /** @throws TypeError where the bytes are no message. */
  constructor(message: Buffer) {
    let at = 0
    while (at < message.length) {
      const tag = readVarint(message, at)
      const field = Number(tag.value >> 3n)
      const type = Number(tag.value & 7n)
      if (field === 0) throw new TypeError('a field has the number 0')
      at = this.#readField(message, { field, type, at: tag.end })
    }
  }

  #readField(message: Buffer, { field, type, at }: { field: number; type: number; at: number }): number {
    switch (type) {
      case 0: {
        const { value, end } = readVarint(message, at)
        this.#integers.set(field, value)
        return end
      }
      case 1:
        return bounded(message, at + 8)
      case 2: {
        const length = readVarint(message, at)
        const end = bounded(message, length.end + Number(length.value))
        this.#bytes.set(field, [...(this.#bytes.get(field) ?? []), message.subarray(length.end, end)])
        return end
      }
      case 5:
        return bounded(message, at + 4)
      default:
        throw new TypeError(`wire type ${type} is not of protocol buffers 3`)
    }
  }

  /** Whether a text or message field is there. */
  has(field: number): boolean {
    return this.#bytes.has(field)
  }

  text(field: number): string {
    return this.#bytes.get(field)?.at(-1)?.toString('utf8') ?? ''
  }

  texts(field: number): string[] {
    return (this.#bytes.get(field) ?? []).map((bytes) => bytes.toString('utf8'))
  }

  /** `int32`, `bool` and enums. */
  integer(field: number): number {
    return Number(BigInt.asIntN(32, this.#integers.get(field) ?? 0n))
  }

  message(field: number): MessageReader | undefined {
    const parts = this.#bytes.get(field)
    return parts && new MessageReader(Buffer.concat(parts)) // proto3: several parts of one message are merged
  }

  messages(field: number): MessageReader[] {
    return (this.#bytes.get(field) ?? []).map((bytes) => new MessageReader(bytes))
  }
}

function bounded(message: Buffer, end: number): number {
  if (end > message.length) throw new TypeError('a message ends in the middle of a field')
  return end
}

function varint(value: bigint): Buffer {
  const bytes: number[] = []
  let rest = value
  while (rest > 127n) {
    bytes.push(Number(rest & 127n) | 128)
    rest >>= 7n
  }
  return Buffer.from([...bytes, Number(rest)])
}

function readVarint(message: Buffer, start: number): { readonly value: bigint; readonly end: number } {
  let value = 0n
  for (let at = start; at < start + 10; at += 1) {
    const byte = message[at]
    if (byte === undefined) throw new TypeError('a message ends in the middle of a number')
    value |= BigInt(byte & 127) << BigInt(7 * (at - start))
    if (byte < 128) return { value: BigInt.asUintN(64, value), end: at + 1 }
  }
  throw new TypeError('a number is longer than 64 bits')
}
