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

/** What `readFields` meets: the bytes of a text, message or bytes field, or the number of a varint one. */
export interface FieldVisitor {
  bytes?(field: number, value: Buffer): void
  integer?(field: number, value: bigint): void
}

/** Visits the fields of one message in order, without keeping them. @throws TypeError where the bytes are no message. */
export function readFields(message: Buffer, visitor: FieldVisitor): void {
  const cursor = { at: 0 }
  while (cursor.at < message.length) {
    const tag = readLength(message, cursor)
    const field = Math.floor(tag / 8)
    if (field === 0) throw new TypeError('a field has the number 0')
    switch (tag % 8) {
      case 0:
        visitor.integer?.(field, readVarint(message, cursor))
        break
      case 1:
        skip(message, cursor, 8)
        break
      case 2: {
        const length = readLength(message, cursor)
        const start = cursor.at
        skip(message, cursor, length)
        visitor.bytes?.(field, message.subarray(start, cursor.at))
        break
      }
      case 5:
        skip(message, cursor, 4)
        break
      default:
        throw new TypeError(`wire type ${tag % 8} is not of protocol buffers 3`)
    }
  }
}

/** The fields of one message; a field that came several times keeps all its values. */
export class MessageReader {
  readonly #bytes = new Map<number, Buffer[]>()
  readonly #integers = new Map<number, bigint>()

  /** @throws TypeError where the bytes are no message. */
  constructor(message: Buffer) {
    readFields(message, {
      bytes: (field, value) => this.#bytes.set(field, [...(this.#bytes.get(field) ?? []), value]),
      integer: (field, value) => this.#integers.set(field, value),
    })
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

  /** The bytes of every value of a text, message or bytes field. */
  all(field: number): readonly Buffer[] {
    return this.#bytes.get(field) ?? []
  }

  messages(field: number): MessageReader[] {
    return (this.#bytes.get(field) ?? []).map((bytes) => new MessageReader(bytes))
  }
}

interface Cursor {
  at: number
}

function skip(message: Buffer, cursor: Cursor, length: number): void {
  if (cursor.at + length > message.length) throw new TypeError('a message ends in the middle of a field')
  cursor.at += length
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

/** A tag or a length: nearly always one byte. */
function readLength(message: Buffer, cursor: Cursor): number {
  const byte = message[cursor.at]
  if (byte !== undefined && byte < 128) {
    cursor.at += 1
    return byte
  }
  return Number(readVarint(message, cursor))
}

function readVarint(message: Buffer, cursor: Cursor): bigint {
  let value = 0n
  for (let shift = 0n; shift < 70n; shift += 7n) {
    const byte = message[cursor.at]
    if (byte === undefined) throw new TypeError('a message ends in the middle of a number')
    cursor.at += 1
    value |= BigInt(byte & 127) << shift
    if (byte < 128) return BigInt.asUintN(64, value)
  }
  throw new TypeError('a number is longer than 64 bits')
}
