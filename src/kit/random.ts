import { randomBytes } from 'node:crypto'

/** Where randomness comes from; injected everywhere so that tests are deterministic. */
export interface Random {
  /** `length` unpredictable bytes. */
  bytes(length: number): Buffer
}

/** The operating system's generator. */
export const systemRandom: Random = { bytes: (length) => randomBytes(length) }

/** An unpredictable URL-safe text of `byteLength` random bytes (unpadded base64url). */
export function randomText(random: Random, byteLength = 32): string {
  return random.bytes(byteLength).toString('base64url')
}

/** A random UUID, version 4 (RFC 9562 §5.4). */
export function randomUuid(random: Random): string {
  const bytes = random.bytes(16)
  bytes.writeUInt8((bytes.readUInt8(6) & 0x0f) | 0x40, 6)
  bytes.writeUInt8((bytes.readUInt8(8) & 0x3f) | 0x80, 8)
  const hex = bytes.toString('hex')
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`
}
