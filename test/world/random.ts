import { createHash } from 'node:crypto'
import type { Random } from '../../src/kit/random.ts'

/** Repeatable “randomness”: the same seed gives the same bytes in the same order. */
export function seededRandom(seed = 'gatehouse'): Random {
  let count = 0
  return {
    bytes(length) {
      const blocks: Buffer[] = []
      for (let size = 0; size < length; size += 32) {
        blocks.push(createHash('sha256').update(`${seed}/${count}`).digest())
        count += 1
      }
      return Buffer.concat(blocks).subarray(0, length)
    },
  }
}
