import { createCipheriv, createDecipheriv } from 'node:crypto'
import type { Random } from '../../kit/random.ts'
import type { Session } from '../session.ts'
import { decodeSession, encodeSession } from './session-bytes.ts'

/** What a browser holds of a session that is kept elsewhere (oauth2-proxy pkg/sessions/persistence/ticket.go). */
export interface Ticket {
  /** `<cookie name>-<32 hex digits>`: the key the session is kept under. */
  readonly id: string
  /** 16 bytes only the browser has: without them what is kept cannot be read. */
  readonly secret: Buffer
}

const secretLength = 16
const nonceLength = 12
const tagLength = 16

/** A ticket nobody has. */
export function newTicket(cookieName: string, random: Random): Ticket {
  return { id: `${cookieName}-${random.bytes(16).toString('hex')}`, secret: random.bytes(secretLength) }
}

/** `v2.<id>.<secret>`, both base64url without padding. */
export function formatTicket({ id, secret }: Ticket): string {
  return `v2.${Buffer.from(id).toString('base64url')}.${secret.toString('base64url')}`
}

/** Reads a ticket, the older `<id>.<secret>` too. `undefined` unless it is spelt as one of this cookie is written. */
export function parseTicket(text: string, cookieName: string): Ticket | undefined {
  const parts = text.split('.')
  const [version, encodedId = '', encoded = ''] = parts
  if (parts.length === 3 && version !== 'v2') return undefined
  const isOld = parts.length === 2
  if (!isOld && parts.length !== 3) return undefined
  const id = isOld ? (parts[0] ?? '') : textOf(encodedId)
  const secret = bytesOf(isOld ? encodedId : encoded)
  const isOurs = id?.startsWith(`${cookieName}-`) === true && /^[0-9a-f]{32}$/.test(id.slice(cookieName.length + 1))
  return isOurs && secret?.length === secretLength ? { id, secret } : undefined
}

/** A session as it is kept under a ticket: nonce, AES-128-GCM of the bare msgpack, tag (pkg/encryption/cipher.go). */
export function sealUnderTicket(session: Session, { secret }: Ticket, random: Random): Buffer {
  const nonce = random.bytes(nonceLength)
  const cipher = createCipheriv('aes-128-gcm', secret, nonce)
  return Buffer.concat([nonce, cipher.update(encodeSession(session)), cipher.final(), cipher.getAuthTag()])
}

/** `undefined` where it was kept under another ticket, was altered, or is no session. */
export function openUnderTicket(sealed: Buffer, { secret }: Ticket): Session | undefined {
  if (sealed.length < nonceLength + tagLength) return undefined
  const decipher = createDecipheriv('aes-128-gcm', secret, sealed.subarray(0, nonceLength))
  decipher.setAuthTag(sealed.subarray(-tagLength))
  try {
    return decodeSession(Buffer.concat([decipher.update(sealed.subarray(nonceLength, -tagLength)), decipher.final()]))
  } catch {
    return undefined // the tag does not fit
  }
}

function textOf(encoded: string): string | undefined {
  return bytesOf(encoded)?.toString('latin1')
}

/** Canonical base64url without padding, so that a ticket has one spelling. */
function bytesOf(encoded: string): Buffer | undefined {
  const bytes = Buffer.from(encoded, 'base64url')
  return bytes.toString('base64url') === encoded ? bytes : undefined
}
