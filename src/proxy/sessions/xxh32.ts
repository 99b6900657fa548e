const prime1 = 0x9e3779b1
const prime2 = 0x85ebca77
const prime3 = 0xc2b2ae3d
const prime4 = 0x27d4eb2f
const prime5 = 0x165667b1

const rotate = (value: number, bits: number): number => (value << bits) | (value >>> (32 - bits))
const round = (lane: number, word: number): number =>
  Math.imul(rotate((lane + Math.imul(word, prime2)) | 0, 13), prime1)

/** xxHash, 32 bits, seed 0 (github.com/Cyan4973/xxHash doc/xxhash_spec.md): the checksum of an LZ4 frame. */
export function xxh32(bytes: Buffer): number {
  const words = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  let offset = 0
  let hash = prime5
  if (bytes.length >= 16) {
    let [a, b, c, d] = [(prime1 + prime2) | 0, prime2 | 0, 0, -prime1 | 0]
    for (; offset + 16 <= bytes.length; offset += 16) {
      a = round(a, words.getInt32(offset, true))
      b = round(b, words.getInt32(offset + 4, true))
      c = round(c, words.getInt32(offset + 8, true))
      d = round(d, words.getInt32(offset + 12, true))
    }
    hash = rotate(a, 1) + rotate(b, 7) + rotate(c, 12) + rotate(d, 18)
  }
  hash = (hash + bytes.length) | 0
  for (; offset + 4 <= bytes.length; offset += 4) {
    hash = Math.imul(rotate((hash + Math.imul(words.getInt32(offset, true), prime3)) | 0, 17), prime4)
  }
  for (; offset < bytes.length; offset += 1) {
    hash = Math.imul(rotate((hash + Math.imul(bytes[offset] ?? 0, prime5)) | 0, 11), prime1)
  }
  hash = Math.imul(hash ^ (hash >>> 15), prime2)
  hash = Math.imul(hash ^ (hash >>> 13), prime3)
  return (hash ^ (hash >>> 16)) >>> 0
}
