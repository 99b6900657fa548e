import type { Random } from '../kit/random.ts'

const alphabet = 'abcdefghijklmnopqrstuvwxyz234567'

/** A text of Dex's kind (dex storage/storage.go `NewID`): 25 lower-case letters and digits, 125 random bits. */
export function opaqueId(random: Random): string {
  // 32 divides 256, so every character is as likely as any other.
  return Array.from(random.bytes(25), (byte) => alphabet[byte & 31]).join('')
}
