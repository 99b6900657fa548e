import { compressSync } from 'lz4-napi'
import { unpackBlock } from './lz4-block.ts'
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

/** Where frames are unpacked: a new buffer for each would cost more than the unpacking. */
let workspace = Buffer.allocUnsafeSlow(2 * blockLimit)

/**
 * Reads a frame of independent blocks, with or without checksums and content size. The content stands only until the
 * next frame is read. `undefined` where the frame is cut off, malformed, carries anything behind it, or its content
 * checksum does not fit.
 */
export function readLz4Frame(frame: Buffer): Buffer | undefined {
  try {
    return readFrame(frame)
  } catch {
    return undefined // read beyond the end, or a block that does not unpack
  }
}

function readFrame(frame: Buffer): Buffer | undefined {
  if (frame.readUInt32BE(0) !== frameHead.readUInt32BE(0)) return undefined
  const flags = frame.readUInt8(4)
  const sizeCode = frame.readUInt8(5) >>> 4
  const isSupported =
    flags >>> 6 === 1 && (flags & 0x20) !== 0 && (flags & 0x03) === 0 && sizeCode >= 4 && sizeCode <= 7
  if (!isSupported) return undefined
  const [hasBlockChecksum, hasContentSize, hasContentChecksum] = [flags & 0x10, flags & 0x08, flags & 0x04]
  const limit = 1 << (8 + 2 * sizeCode) // 64 KiB, 256 KiB, 1 MiB or 4 MiB
  let offset = hasContentSize ? 15 : 7
  let end = 0
  for (;;) {
    const size = frame.readUInt32LE(offset)
    offset += 4
    if (size === 0) break
    const length = size & ~storedBit
    const block = frame.subarray(offset, offset + length)
    if (block.length !== length || length > limit) return undefined
    if (workspace.length < end + limit) workspace = Buffer.concat([workspace], 2 * (end + limit))
    const room = workspace.subarray(end, end + limit)
    end += size >= storedBit ? block.copy(room) : unpackBlock(block, room)
    offset += length + (hasBlockChecksum ? 4 : 0)
  }
  const content = workspace.subarray(0, end)
  if (hasContentChecksum && frame.readUInt32LE(offset) !== xxh32(content)) return undefined
  return offset + (hasContentChecksum ? 4 : 0) === frame.length ? content : undefined
}

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32LE(value >>> 0)
  return bytes
}
