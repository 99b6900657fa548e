import { createCipheriv, createDecipheriv, createHash, createSecretKey, type KeyObject } from 'node:crypto'
import type { Clock } from '../kit/clock.ts'
import type { Random } from '../kit/random.ts'

/** Encrypts what must be remembered of a visitor who has not authenticated yet, so that nothing is stored for them. */
export interface StateSealer {
  /** An opaque URL-safe text that opens until `lifetime` milliseconds from now. */
  seal(value: unknown, lifetime: number): string
  /** The value, or `undefined` where the text was altered, is of another purpose, or has expired. */
  open(text: string): unknown
}

/**
 * AES-256-GCM under a key derived from `secret` for this `purpose` only, so that a blob made for one place never opens
 * at another. The same secret on every replica, and after a restart, opens what any of them sealed.
 */
export function openStateSealer({
  secret,
  purpose,
  clock,
  random,
}: {
  secret: string
  purpose: string
  clock: Clock
  random: Random
}): StateSealer {
  const key: KeyObject = createSecretKey(
    createHash('sha256').update(`gatehouse sealed state\0${purpose}\0${secret}`).digest(),
  )
  return {
    seal(value, lifetime) {
      const iv = random.bytes(12)
      const cipher = createCipheriv('aes-256-gcm', key, iv)
      const text = JSON.stringify({ v: value, e: clock.now() + lifetime })
      return Buffer.concat([iv, cipher.update(text, 'utf8'), cipher.final(), cipher.getAuthTag()]).toString('base64url')
    },
    open(text) {
      const bytes = Buffer.from(text, 'base64url')
      // One spelling: the last character may have bits to spare, and a copy must not pass for another text.
      if (bytes.length < 28 || bytes.toString('base64url') !== text) return undefined
      try {
        const decipher = createDecipheriv('aes-256-gcm', key, bytes.subarray(0, 12))
        decipher.setAuthTag(bytes.subarray(-16))
        const plain = Buffer.concat([decipher.update(bytes.subarray(12, -16)), decipher.final()]).toString('utf8')
        const { v, e } = JSON.parse(plain) as { v: unknown; e: number } // sealed by us: the tag has just proved it
        return clock.now() < e ? v : undefined
      } catch {
        return undefined
      }
    },
  }
}
