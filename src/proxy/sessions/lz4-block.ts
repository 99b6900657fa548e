/**
 * Unpacks one LZ4 block (github.com/lz4/lz4 doc/lz4_Block_format.md). lz4-napi could do it only with its size in front,
 * which a frame does not say. @returns how many bytes it is; throws RangeError where it is malformed or has no room.
 */
export function unpackBlock(block: Buffer, room: Buffer): number {
  let at = 0
  let end = 0

  /** A length that does not fit into four bits goes on in bytes, the last of which is not 255. */
  function readLength(nibble: number): number {
    let length = nibble
    for (let more = nibble === 15 ? 255 : 0; more === 255; length += more) {
      more = block.readUInt8(at)
      at += 1
    }
    return length
  }

  while (at < block.length) {
    const token = block.readUInt8(at)
    at += 1
    const literals = readLength(token >>> 4)
    if (at + literals > block.length || end + literals > room.length) throw new RangeError('literals without room')
    block.copy(room, end, at, at + literals)
    at += literals
    end += literals
    if (at === block.length) break // the last sequence has no match
    const distance = block.readUInt16LE(at)
    at += 2
    const matchEnd = end + readLength(token & 0x0f) + 4
    if (distance === 0 || distance > end || matchEnd > room.length) throw new RangeError('a match out of reach')
    for (; end < matchEnd; end += 1) room[end] = room[end - distance] ?? 0
  }
  return end
}
