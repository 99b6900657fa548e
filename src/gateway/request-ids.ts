import type { Random } from '../kit/random.ts'

const idBytes = 16
const batch = 128

/** Unique ids for requests (UUID version 4), drawn from randomness in batches: one call for many requests. */
export function openRequestIds(random: Random): () => string {
  let hex = ''
  let at = 0
  return () => {
    if (at >= hex.length) {
      hex = random.bytes(idBytes * batch).toString('hex')
      at = 0
    }
    const id = hex.slice(at, at + idBytes * 2)
    at += idBytes * 2
    return `${id.slice(0, 8)}-${id.slice(8, 12)}-4${id.slice(13, 16)}-a${id.slice(17, 20)}-${id.slice(20)}`
  }
}
