import type { Random } from '../../kit/random.ts'
import { firstSessionText } from '../sessions/session-cookies.ts'
import type { Ticket } from '../sessions/ticket.ts'

/** In front of every personal access token, so that people and secret scanners know one when they see it. */
const mark = 'gha_'
const partLength = 16

/** A token nobody has, and the ticket it is the text of: what it is filed under, and the key to what is kept there. */
export function newAccessToken(random: Random): { readonly text: string; readonly ticket: Ticket } {
  const bytes = Buffer.from(random.bytes(2 * partLength))
  return { text: mark + bytes.toString('base64url'), ticket: ticketOf(bytes) }
}

/** `undefined` where the text is no access token in its one spelling. */
export function parseAccessToken(text: string): Ticket | undefined {
  if (!text.startsWith(mark)) return undefined
  const bytes = Buffer.from(text.slice(mark.length), 'base64url')
  const isOne = bytes.length === 2 * partLength && mark + bytes.toString('base64url') === text
  return isOne ? ticketOf(bytes) : undefined
}

function ticketOf(bytes: Buffer): Ticket {
  return { id: bytes.subarray(0, partLength).toString('hex'), secret: bytes.subarray(partLength) }
}

/**
 * The access token of a request: a bearer, the password of basic credentials (git, pip and their like), or the value of
 * the session cookie (`kfp.Client(cookies=…)`, and gateways whose policies let any `Authorization` pass unasked).
 */
export function accessTokenIn(
  { authorization, cookie }: Readonly<Record<string, string | undefined>>,
  cookieName: string,
): string | undefined {
  const sent = authorization === undefined ? undefined : accessTokenInAuthorization(authorization)
  if (sent !== undefined) return sent
  const text = cookie === undefined ? undefined : firstSessionText(cookie, cookieName)
  return text?.startsWith(mark) ? text : undefined
}

/** The access token of an `Authorization` header alone; it goes before any cookie. */
export function accessTokenInAuthorization(authorization: string): string | undefined {
  const [scheme = '', value = ''] = authorization.split(' ', 2)
  if (/^bearer$/i.test(scheme)) return value.startsWith(mark) ? value : undefined
  if (!/^basic$/i.test(scheme)) return undefined
  const text = Buffer.from(value, 'base64').toString('utf8')
  const password = text.slice(text.indexOf(':') + 1)
  return password.startsWith(mark) ? password : undefined
}
