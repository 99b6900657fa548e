import { createCipheriv, createDecipheriv } from 'node:crypto'
import type { Random } from '../../kit/random.ts'

const ivLength = 16

/** AES-CFB128 with the IV in front (oauth2-proxy pkg/encryption/cipher.go). It has no MAC: only ever inside a signed value. */
export function encryptCfb(plain: Uint8Array, key: Buffer, random: Random): Buffer {
  const iv = random.bytes(ivLength)
  const cipher = createCipheriv(cipherName(key), key, iv)
  return Buffer.concat([iv, cipher.update(plain), cipher.final()])
}

/** `undefined` where it is shorter than an IV. */
export function decryptCfb(sealed: Buffer, key: Buffer): Buffer | undefined {
  if (sealed.length < ivLength) return undefined
  const decipher = createDecipheriv(cipherName(key), key, sealed.subarray(0, ivLength))
  return Buffer.concat([decipher.update(sealed.subarray(ivLength)), decipher.final()])
}

function cipherName(key: Buffer): string {
  return `aes-${key.length * 8}-cfb`
}
