import type { Clock } from '../../kit/clock.ts'
import { epochSeconds } from '../../kit/clock.ts'
import type { Random } from '../../kit/random.ts'
import type { Session } from '../session.ts'
import { decryptCfb, encryptCfb } from './cookie-cipher.ts'
import { readLz4Frame, writeLz4Frame } from './lz4-frame.ts'
import { decodeSession, encodeSession } from './session-bytes.ts'
import { openSignedValue, signValue } from './signed-value.ts'

/** Turns sessions into oauth2-proxy's cookie value and back (pkg/sessions/cookie). */
export interface SessionCodec {
  seal(session: Session): string
  /** The session, or `undefined` where the value was altered, belongs to another cookie or has expired. */
  open(value: string): Session | undefined
}

/** How a cookie's values are protected. */
export interface CookieKeys {
  /** The configured secret as it stands: it signs. */
  readonly secret: string
  /** What it decodes to: it encrypts. */
  readonly key: Buffer
}

/** Where sealed sessions are opened, one after the other: a new buffer for each costs more than its cipher. */
const workspace = Buffer.allocUnsafeSlow(64 * 1024)

/** msgpack → LZ4 frame → AES-CFB → signed value, for one cookie name. `lifetimeSeconds` 0 means any age. */
export function openSessionCodec({
  name,
  keys,
  lifetimeSeconds,
  clock,
  random,
}: {
  name: string
  keys: CookieKeys
  lifetimeSeconds: number
  clock: Clock
  random: Random
}): SessionCodec {
  return {
    seal(session) {
      const frame = writeLz4Frame(Buffer.from(encodeSession(session)))
      const seconds = Math.floor(session.createdAt / 1000)
      return signValue(name, encryptCfb(frame, keys.key, random), { secret: keys.secret, seconds })
    },
    open(value) {
      const nowSeconds = epochSeconds(clock)
      const rules = { secret: keys.secret, lifetimeSeconds, nowSeconds, into: workspace }
      const signed = openSignedValue(name, value, rules)
      const frame = signed && decryptCfb(signed.value, keys.key)
      const bytes = frame && readLz4Frame(frame)
      return bytes && decodeSession(bytes)
    },
  }
}
