import { compressSync, uncompressSync } from 'lz4-napi'
import { xxh32 } from './xxh32.ts'

/** Magic, FLG (version 1, independent blocks, content checksum), BD (64 KiB blocks), header checksum. */
const frameHead = Buffer.from('04224d186440a7', 'hex')
const blockLimit = 64 * 1024
const storedBit = 0x8000_0000

/** An LZ4 frame as pierrec/lz4 writes it for oauth2-proxy: a block is stored where compressing it gains nothing. */
export function writeLz4Frame(content: Buffer): Buffer {
  const parts: Buffer[] = [frameHead]
  for (let offset = 0; offset < content.length; offset += blockLimit) {
    const block = content.subarray(offset, offset + blockLimit)
    const packed = compressSync(block).subarray(4) // behind the size lz4-napi puts in front
    const isSmaller = packed.length < block.length
    parts.push(uint32(isSmaller ? packed.length : block.length + storedBit), isSmaller ? packed : block)
  }
  parts.push(uint32(0), uint32(xxh32(content)))
  return Buffer.concat(parts)
}

/**
 * Reads a frame of independent blocks, with or without checksums and content size. `undefined` where it is cut off,
 * malformed, carries anything behind it, or its content checksum does not fit.
 */
export function readLz4Frame(frame: Buffer): Buffer | undefined {
  try {
    return readFrame(frame)
  } catch {
    return undefined // read beyond the end, or a block that does not decompress
  }
}

function readFrame(frame: Buffer): Buffer | undefined {
  if (frame.readUInt32BE(0) !== frameHead.readUInt32BE(0)) return undefined
  const flags = frame.readUInt8(4)
  const isSupported = flags >>> 6 === 1 && (flags & 0x20) !== 0 && (flags & 0x03) === 0
  if (!isSupported) return undefined
  const [hasBlockChecksum, hasContentSize, hasContentChecksum] = [flags & 0x10, flags & 0x08, flags & 0x04]
  let offset = hasContentSize ? 15 : 7
  const blocks: Buffer[] = []
  for (;;) {
    const size = frame.readUInt32LE(offset)
    offset += 4
    if (size === 0) break
    const length = size & ~storedBit
    const block = frame.subarray(offset, offset + length)
    if (block.length !== length) return undefined
    blocks.push(size >= storedBit ? block : unpackBlock(block))
    offset += length + (hasBlockChecksum ? 4 : 0)
  }
  const content = blocks.length === 1 && blocks[0] ? blocks[0] : Buffer.concat(blocks)
  if (hasContentChecksum && frame.readUInt32LE(offset) !== xxh32(content)) return undefined
  return offset + (hasContentChecksum ? 4 : 0) === frame.length ? content : undefined
}

function unpackBlock(block: Buffer): Buffer {
  return uncompressSync(Buffer.concat([uint32(blockSize(block)), block]))
}

/** The size a block unpacks to: lz4-napi wants it in front, the frame does not say it. */
function blockSize(block: Buffer): number {
  let size = 0
  for (let offset = 0; offset < block.length; ) {
    const token = block.readUInt8(offset)
    offset += 1
    const literals = readLength(block, offset, token >>> 4)
    offset = literals.end + literals.length
    size += literals.length
    if (offset >= block.length) break // the last sequence has no match
    const match = readLength(block, offset + 2, token & 0x0f)
    offset = match.end
    size += match.length + 4
  }
  if (size > blockLimit * 64) throw new RangeError('a block larger than the format allows')
  return size
}

function readLength(block: Buffer, start: number, nibble: number): { length: number; end: number } {
  let [length, end] = [nibble, start]
  if (nibble < 15) return { length, end }
  for (;;) {
    const more = block.readUInt8(end)
    end += 1
    length += more
    if (more < 255) return { length, end }
  }
}

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32LE(value >>> 0)
  return bytes
}
