/**
 * Two texts as Dex packs them into `sub` and refresh tokens: unpadded base64url of the protobuf message `{1: first,
 * 2: second}`, empty fields left out (dex server/internal/types.proto, codec.go).
 */
export function packPair(first: string, second: string): string {
  return Buffer.concat([field(1, first), field(2, second)]).toString('base64url')
}

/** The pair in `text`, or `undefined` where it is no such message. */
export function unpackPair(text: string): readonly [first: string, second: string] | undefined {
  if (!/^[A-Za-z0-9_-]+$/.test(text)) return undefined
  const bytes = Buffer.from(text, 'base64url')
  const pair: [string, string] = ['', '']
  let at = 0
  while (at < bytes.length) {
    const tag = bytes[at]
    const length = readVarint(bytes, at + 1)
    if ((tag !== 0x0a && tag !== 0x12) || !length || length.end + length.value > bytes.length) return undefined
    const end = length.end + length.value
    pair[tag === 0x0a ? 0 : 1] = bytes.toString('utf8', length.end, end)
    at = end
  }
  return pair
}

function field(number: 1 | 2, text: string): Buffer {
  if (text === '') return Buffer.alloc(0)
  const bytes = Buffer.from(text)
  return Buffer.concat([Buffer.from([(number << 3) | 2, ...varint(bytes.length)]), bytes])
}

function varint(value: number): number[] {
  return value < 0x80 ? [value] : [(value & 0x7f) | 0x80, ...varint(value >>> 7)]
}

function readVarint(bytes: Buffer, start: number): { value: number; end: number } | undefined {
  let value = 0
  for (let index = 0; index < 4; index += 1) {
    const byte = bytes[start + index]
    if (byte === undefined) return undefined
    value |= (byte & 0x7f) << (7 * index)
    if (byte < 0x80) return { value, end: start + index + 1 }
  }
  return undefined
}
