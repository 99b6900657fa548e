import { Decoder, encode } from '@msgpack/msgpack'
import type { Session } from '../session.ts'
import { readPlainSession } from './plain-session.ts'

/** Go's zero time, year 1: “never” (oauth2-proxy writes it for tokens without `expires_in`). */
const goZeroTime = -62_135_596_800_000

/** A session as oauth2-proxy's msgpack map: short keys in its order, empty values left out. */
export function encodeSession(session: Session): Uint8Array {
  const { createdAt, expiresAt, accessToken, idToken, refreshToken, nonce, email, user, groups } = session
  const fields = {
    ca: new Date(createdAt),
    eo: expiresAt === undefined ? undefined : new Date(expiresAt),
    at: accessToken || undefined,
    it: idToken || undefined,
    rt: refreshToken || undefined,
    n: nonce,
    e: email || undefined,
    u: user || undefined,
    g: groups && groups.length > 0 ? groups : undefined,
    pu: session.preferredUsername || undefined,
    ac: session.additionalClaims,
    pv: session.provider, // ours; the original ignores keys it does not know
  }
  return encode(fields, { ignoreUndefined: true })
}

/** Reads the map; unknown keys are ignored. `undefined` where it is none or a value has the wrong type. */
export function decodeSession(bytes: Buffer): Session | undefined {
  return readPlainSession(bytes) ?? readSession(bytes)
}

function readSession(bytes: Buffer): Session | undefined {
  const fields = decodeMap(Uint8Array.from(bytes)) // a copy, of which claims may be parts
  if (!fields) return undefined
  const { ca, eo, at, it, rt, n, e, u, g, pu, ac, pv } = fields
  if (!(ca instanceof Date) || !isOptional(eo, (value) => value instanceof Date)) return undefined
  if (![at, it, rt, e, u, pu, pv].every((text) => isOptional(text, (value) => typeof value === 'string')))
    return undefined
  if (!isOptional(n, (value) => value instanceof Uint8Array)) return undefined
  if (!isOptional(g, (value) => Array.isArray(value) && value.every((one) => typeof one === 'string'))) return undefined
  if (!isOptional(ac, isMap)) return undefined
  const session: Writable<Session> = { createdAt: ca.getTime() }
  if (eo instanceof Date && eo.getTime() > goZeroTime) session.expiresAt = eo.getTime()
  if (typeof at === 'string') session.accessToken = at
  if (typeof it === 'string') session.idToken = it
  if (typeof rt === 'string') session.refreshToken = rt
  if (n instanceof Uint8Array) session.nonce = new Uint8Array(n)
  if (typeof e === 'string') session.email = e
  if (typeof u === 'string') session.user = u
  if (Array.isArray(g)) session.groups = g as string[] // checked above, as is the next
  if (ac) session.additionalClaims = ac as Record<string, unknown>
  if (typeof pu === 'string') session.preferredUsername = pu
  if (typeof pv === 'string') session.provider = pv
  return session
}

type Writable<Type> = { -readonly [Name in keyof Type]: Type[Name] }

const decoder = new Decoder()

/** A msgpack map with text keys, or `undefined`. */
export function decodeMap(bytes: Uint8Array): Readonly<Record<string, unknown>> | undefined {
  try {
    const value = decoder.decode(bytes)
    return isMap(value) ? value : undefined
  } catch {
    return undefined
  }
}

function isMap(value: unknown): value is Record<string, unknown> {
  const isObject = typeof value === 'object' && value !== null && !Array.isArray(value)
  return isObject && !(value instanceof Date) && !(value instanceof Uint8Array)
}

function isOptional(value: unknown, isRight: (value: unknown) => boolean): boolean {
  return value === undefined || value === null || isRight(value)
}
