import { createDecipheriv } from 'node:crypto'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { systemRandom } from '../../kit/random.ts'
import { decryptCfb, encryptCfb } from './cookie-cipher.ts'

const key = fc.constantFrom(16, 24, 32).chain((length) => fc.uint8Array({ minLength: length, maxLength: length }))
const sealed = fc.uint8Array({ minLength: 16, maxLength: 200 })

test('deciphering is what AES-CFB does, wherever the bytes lie in memory', () => {
  fc.assert(
    fc.property(key, sealed, fc.nat({ max: 3 }), (keyBytes, bytes, offset) => {
      const decipher = createDecipheriv(`aes-${keyBytes.length * 8}-cfb`, keyBytes, bytes.subarray(0, 16))
      const expected = Buffer.concat([decipher.update(bytes.subarray(16)), decipher.final()])
      const moved = Buffer.alloc(bytes.length + offset)
      moved.set(bytes, offset)
      expect(decryptCfb(moved.subarray(offset), Buffer.from(keyBytes))).toEqual(expected)
    }),
    { numRuns: 500 },
  )
})

test('what is shorter than an IV is no sealed text; an empty one is', () => {
  const bytes = Buffer.alloc(32, 7)
  expect(decryptCfb(Buffer.alloc(15), bytes)).toBeUndefined()
  expect(decryptCfb(encryptCfb(Buffer.alloc(0), bytes, systemRandom), bytes)).toEqual(Buffer.alloc(0))
})
