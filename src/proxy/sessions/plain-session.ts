import type { Session } from '../session.ts'

/**
 * Reads a session of the usual shape straight from its msgpack map (oauth2-proxy pkg/apis/sessions/session_state.go),
 * several times as fast as by way of a map of anything. `undefined` for any other, which may be a session, too:
 * additional claims, times that are never, unknown keys, needlessly long encodings.
 */
export function readPlainSession(bytes: Buffer): Session | undefined {
  try {
    return readMap({ bytes, at: 0 })
  } catch (error) {
    if (error instanceof RangeError) return undefined // not as expected here, or read beyond the end
    throw error
  }
}

/** Where reading has come to. */
interface Cursor {
  readonly bytes: Buffer
  at: number
}

type Writable<Type> = { -readonly [Name in keyof Type]: Type[Name] }

function readMap(cursor: Cursor): Session | undefined {
  const session: Writable<Session> = { createdAt: Number.NaN }
  for (let left = readSmall(cursor, 0x80, 15); left > 0; left -= 1) readField(session, cursor)
  return cursor.at === cursor.bytes.length && !Number.isNaN(session.createdAt) ? session : undefined
}

function readField(session: Writable<Session>, cursor: Cursor): void {
  const key = readText(cursor)
  if (key === 'ca') session.createdAt = readTime(cursor)
  else if (key === 'eo') session.expiresAt = readTime(cursor)
  else if (key === 'at') session.accessToken = readText(cursor)
  else if (key === 'it') session.idToken = readText(cursor)
  else if (key === 'rt') session.refreshToken = readText(cursor)
  else if (key === 'n') session.nonce = readBytes(cursor)
  else if (key === 'e') session.email = readText(cursor)
  else if (key === 'u') session.user = readText(cursor)
  else if (key === 'g') session.groups = readTexts(cursor)
  else if (key === 'pu') session.preferredUsername = readText(cursor)
  else if (key === 'pv') session.provider = readText(cursor)
  else throw new RangeError('a key that is rare')
}

/** The length in a type's first byte, from `base` on, of at most `most`. */
function readSmall(cursor: Cursor, base: number, most: number): number {
  const length = readUint8(cursor) - base
  if (length < 0 || length > most) throw new RangeError('another type')
  return length
}

function readUint8(cursor: Cursor): number {
  cursor.at += 1
  return cursor.bytes.readUInt8(cursor.at - 1)
}

function readUint16(cursor: Cursor): number {
  cursor.at += 2
  return cursor.bytes.readUInt16BE(cursor.at - 2)
}

function readUint32(cursor: Cursor): number {
  cursor.at += 4
  return cursor.bytes.readUInt32BE(cursor.at - 4)
}

function readText(cursor: Cursor): string {
  const head = readUint8(cursor)
  if (head === 0xd9) return take(cursor, readUint8(cursor)).toString()
  if (head === 0xda) return take(cursor, readUint16(cursor)).toString()
  cursor.at -= 1
  return take(cursor, readSmall(cursor, 0xa0, 31)).toString()
}

function readTexts(cursor: Cursor): string[] {
  return Array.from({ length: readSmall(cursor, 0x90, 15) }, () => readText(cursor))
}

/** A copy: the session outlives what it is read from. */
function readBytes(cursor: Cursor): Uint8Array {
  if (readUint8(cursor) !== 0xc4) throw new RangeError('no bytes, or many')
  return new Uint8Array(take(cursor, readUint8(cursor)))
}

/** A timestamp of 32 or 64 bits (msgpack spec, extension type -1), in milliseconds. */
function readTime(cursor: Cursor): number {
  const kind = readUint16(cursor)
  if (kind === 0xd6ff) return readUint32(cursor) * 1000
  if (kind !== 0xd7ff) throw new RangeError('no time, or one far away')
  const high = readUint32(cursor)
  const nanoseconds = high >>> 2
  const seconds = (high & 0x3) * 2 ** 32 + readUint32(cursor)
  return Math.trunc(seconds * 1000 + nanoseconds / 1e6)
}

function take(cursor: Cursor, length: number): Buffer {
  const start = cursor.at
  cursor.at += length
  if (cursor.at > cursor.bytes.length) throw new RangeError('read beyond the end')
  return cursor.bytes.subarray(start, cursor.at)
}
