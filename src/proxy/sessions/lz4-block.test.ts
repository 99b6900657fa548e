import fc from 'fast-check'
import { compressSync, uncompressSync } from 'lz4-napi'
import { expect, test } from 'vitest'
import { unpackBlock } from './lz4-block.ts'

const sizeLength = 4 // lz4-napi puts the size in front

test('what lz4 packed is unpacked, with long literals, long matches and matches over themselves', () => {
  const piece = fc.tuple(fc.uint8Array({ maxLength: 400 }), fc.integer({ min: 1, max: 300 }))
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 4 }), (pieces) => {
      const content = Buffer.concat(pieces.flatMap(([bytes, times]) => Array<Uint8Array>(times).fill(bytes)))
      const room = Buffer.alloc(content.length)
      expect(unpackBlock(compressSync(content).subarray(sizeLength), room)).toBe(content.length)
      expect(room.equals(content)).toBe(true)
    }),
    { numRuns: 50 },
  )
})

test('a block for which there is no room, and any malformed one, is refused before it is written beyond', () => {
  const content = Buffer.from('kubeflow '.repeat(40))
  const block = compressSync(content).subarray(sizeLength)
  expect(() => unpackBlock(block, Buffer.alloc(content.length - 1))).toThrow(RangeError)
  expect(() => unpackBlock(Buffer.from('1f61000100', 'hex'), Buffer.alloc(100))).toThrow(RangeError) // distance 0
  expect(() => unpackBlock(Buffer.from('1f61020000', 'hex'), Buffer.alloc(100))).toThrow(RangeError) // before its start
  expect(() => unpackBlock(Buffer.from('50616263', 'hex'), Buffer.alloc(100))).toThrow(RangeError) // literals cut off
  expect(() => unpackBlock(Buffer.from('f0ffff', 'hex'), Buffer.alloc(100))).toThrow(RangeError) // length cut off
})

test('it takes what the library takes', () => {
  const content = Buffer.from('eyJhbGciOiJSUzI1NiJ9.'.repeat(5))
  const packed = compressSync(content)
  fc.assert(
    fc.property(fc.nat({ max: packed.length - sizeLength - 1 }), fc.nat({ max: 255 }), (place, byte) => {
      const altered = Buffer.from(packed)
      altered[sizeLength + place] = byte
      const room = Buffer.alloc(content.length)
      const known = attempt(() => uncompressSync(altered))
      const own = attempt(() => room.subarray(0, unpackBlock(altered.subarray(sizeLength), room)))
      if (known) expect(own).toEqual(known)
    }),
  )
})

function attempt(unpack: () => Buffer): Buffer | undefined {
  try {
    return unpack()
  } catch {
    return undefined
  }
}
