const keyLengths: readonly number[] = [16, 24, 32]

/**
 * The AES key a cookie secret stands for (oauth2-proxy pkg/encryption/utils.go `SecretBytes`): its base64url decoding
 * where that yields 16, 24 or 32 bytes, else its raw bytes. So a secret of 32 hex digits is a 24-byte key.
 * `undefined` where neither has a length AES takes.
 */
export function cookieKey(secret: string): Buffer | undefined {
  const unpadded = secret.replace(/=+$/, '').replace(/[\r\n]/g, '')
  if (/^[A-Za-z0-9_-]*$/.test(unpadded) && unpadded.length % 4 !== 1) {
    const decoded = Buffer.from(unpadded, 'base64url')
    if (keyLengths.includes(decoded.length)) return decoded
  }
  const raw = Buffer.from(secret)
  return keyLengths.includes(raw.length) ? raw : undefined
}
