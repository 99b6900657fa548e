import { createHash } from 'node:crypto'

/**
 * The name a code, and the refresh family it starts, is kept under: its hash, so that who reads the store cannot redeem
 * it.
 */
export function codeKey(code: string): string {
  return createHash('sha256').update(code).digest('base64url')
}
