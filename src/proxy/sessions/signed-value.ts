import { createHmac, timingSafeEqual } from 'node:crypto'

/** A value whose signature has been checked. */
export interface SignedValue {
  readonly value: Buffer
  /** Seconds since the epoch, as signed. */
  readonly signedAt: number
}

/**
 * `base64url(value)|seconds|signature`, signed for one cookie name under the raw secret (oauth2-proxy
 * pkg/encryption/utils.go `SignedValue`).
 */
export function signValue(name: string, value: Uint8Array, { secret, seconds }: { secret: string; seconds: number }) {
  const encoded = paddedBase64url(Buffer.from(value))
  return `${encoded}|${seconds}|${signature(name, encoded, String(seconds), secret)}`
}

/** What a signed value is judged by. */
export interface SignedValueRules {
  readonly secret: string
  /** 0: any age. */
  readonly lifetimeSeconds: number
  readonly nowSeconds: number
  /** Where the value is put if there is room, for who has done with one before the next is read. */
  readonly into?: Buffer
}

/**
 * Reads a signed value (`Validate`). `undefined` unless it has three parts, the signature is right, and it is neither
 * older than `lifetimeSeconds` nor more than five minutes in the future.
 *
 * The signature covers name, value and seconds without separators, so bytes could be moved from one to the next; that
 * is why the value must be canonical base64 of whole groups and the seconds exactly ten digits. The signature itself has
 * one spelling too: a decoder that forgives junk would let one session have any number of texts.
 */
export function openSignedValue(
  name: string,
  text: string,
  { secret, lifetimeSeconds, nowSeconds, into }: SignedValueRules,
): SignedValue | undefined {
  const first = text.indexOf('|')
  const last = text.lastIndexOf('|')
  if (first < 0 || first === last || text.indexOf('|', first + 1) !== last) return undefined
  const encoded = text.slice(0, first)
  const seconds = text.slice(first + 1, last)
  if (!/^[1-9]\d{9}$/.test(seconds)) return undefined
  const given = Buffer.from(text.slice(last + 1))
  const expected = Buffer.from(signature(name, encoded, seconds, secret))
  if (given.length !== expected.length || !timingSafeEqual(given, expected)) return undefined
  const signedAt = Number(seconds)
  const isYoung = lifetimeSeconds === 0 || signedAt > nowSeconds - lifetimeSeconds
  const value = isYoung && signedAt < nowSeconds + 300 ? decodeCanonical(encoded, into) : undefined
  return value && { value, signedAt }
}

/** The bytes of padded base64url in its one spelling; `undefined` for anything else, which Node's decoder would take. */
function decodeCanonical(encoded: string, into: Buffer | undefined): Buffer | undefined {
  const hasRoom = into !== undefined && into.length >= encoded.length
  const value = hasRoom ? into.subarray(0, into.write(encoded, 'base64url')) : Buffer.from(encoded, 'base64url')
  return paddedBase64url(value) === encoded ? value : undefined
}

/** 32 bytes, so one `=` pads them. */
function signature(name: string, encoded: string, seconds: string, secret: string): string {
  return `${createHmac('sha256', secret).update(name).update(encoded).update(seconds).digest('base64url')}=`
}

/** Go's `base64.URLEncoding`. */
function paddedBase64url(bytes: Buffer): string {
  const text = bytes.toString('base64url')
  return text + '='.repeat((4 - (text.length % 4)) % 4)
}
