import fc from 'fast-check'
import { compressFrameSync } from 'lz4-napi'
import { expect, test } from 'vitest'
import type { Session } from '../session.ts'
import { cookieKey } from './cookie-secret.ts'
import { readLz4Frame, writeLz4Frame } from './lz4-frame.ts'
import { decodeSession } from './session-bytes.ts'
import { openSessionCodec } from './session-codec.ts'
import { openSignedValue, signValue } from './signed-value.ts'
import { xxh32 } from './xxh32.ts'

const secret = '7d16fee92f8d11b8940b081b3f8b8acb'
const name = 'oauth2_proxy_kubeflow'
const countingBytes = { bytes: (length: number) => Buffer.from(Array.from({ length }, (_, index) => index)) }

function codec({ now = 1_700_000_100, cookie = name, lifetimeSeconds = 86_400 } = {}) {
  return openSessionCodec({
    name: cookie,
    keys: { secret, key: cookieKey(secret) ?? Buffer.alloc(0) },
    lifetimeSeconds,
    clock: { now: () => now * 1000 },
    random: countingBytes,
  })
}

const sealed = codec().seal({ createdAt: 1_700_000_000_000, email: 'user@example.com', user: 'abc' })

test('a secret is decoded where that gives a key, else used as it is, else refused', () => {
  expect(cookieKey(Buffer.alloc(32, 7).toString('base64url'))).toEqual(Buffer.alloc(32, 7))
  expect(cookieKey(`${Buffer.alloc(16, 7).toString('base64url')}==`)).toEqual(Buffer.alloc(16, 7))
  expect(cookieKey('sixteen bytes !!')).toEqual(Buffer.from('sixteen bytes !!'))
  expect(cookieKey('fifteen bytes!!')).toBeUndefined()
})

test('a session is refused under another name, too old, from the future, or altered in any place', () => {
  expect(codec({ cookie: 'other' }).open(sealed)).toBeUndefined()
  expect(codec({ now: 1_700_000_000 + 86_400 }).open(sealed)).toBeUndefined()
  expect(codec({ now: 1_700_000_000 + 86_399 }).open(sealed)).toBeDefined()
  expect(codec({ now: 1_700_000_000 - 301 }).open(sealed)).toBeUndefined()
  for (let index = 0; index < sealed.length - 2; index += 1) {
    const flipped = sealed[index] === 'A' ? 'B' : 'A'
    const altered = sealed.slice(0, index) + flipped + sealed.slice(index + 1)
    expect(codec().open(altered), `character ${index}`).toBeUndefined()
  }
})

test('digits cannot be moved between value and time, nor a name into the value, though the signature allows it', () => {
  const [value = '', seconds = '', signature = ''] = signValue('n', Buffer.from('abc'), {
    secret,
    seconds: 1_700_000_000,
  }).split('|')
  const open = (text: string, cookie = 'n') =>
    openSignedValue(cookie, text, { secret, lifetimeSeconds: 0, nowSeconds: 1_700_000_100 })
  expect(open(`${value}|${seconds}|${signature}`)).toBeDefined()
  expect(open(`${value}1700|000000|${signature}`)).toBeUndefined()
  expect(open(`${value.slice(0, -1)}|${value.slice(-1)}${seconds}|${signature}`)).toBeUndefined()
  expect(open(`n${value}|${seconds}|${signature}`, '')).toBeUndefined()
})

test('a time that Go calls zero means the session has no token expiry', () => {
  const bytes = Buffer.from('82a26361d6ff6553f100a2656fc70cff00000000fffffff1886e0900', 'hex')
  expect(decodeSession(bytes)).toEqual({ createdAt: 1_700_000_000_000 })
})

test('unknown keys are ignored and wrong types refused', () => {
  const withKey = (pair: string) => decodeSession(Buffer.from(`82a26361d6ff6553f100${pair}`, 'hex'))
  expect(withKey('a27a7a01')).toEqual({ createdAt: 1_700_000_000_000 })
  expect(withKey('a16501')).toBeUndefined()
  expect(withKey('a167a161')).toBeUndefined()
  expect(decodeSession(Buffer.from('93010203', 'hex'))).toBeUndefined()
  expect(decodeSession(Buffer.from('ff00', 'hex'))).toBeUndefined()
})

const sessions: fc.Arbitrary<Session> = fc.record(
  {
    createdAt: fc.integer({ min: 1_699_999_000_000, max: 1_700_000_099_999 }),
    expiresAt: fc.integer({ min: 1_600_000_000_000, max: 1_900_000_000_000 }),
    accessToken: fc.string({ minLength: 1, maxLength: 4000 }),
    idToken: fc.base64String({ minLength: 4, maxLength: 3000 }),
    refreshToken: fc.string({ minLength: 1 }),
    nonce: fc.uint8Array({ minLength: 32, maxLength: 32 }),
    email: fc.emailAddress(),
    user: fc.string({ minLength: 1, unit: 'binary' }),
    groups: fc.array(fc.string(), { minLength: 1 }),
    preferredUsername: fc.string({ minLength: 1 }),
  },
  { requiredKeys: ['createdAt'] },
)

test('every session survives the way through the cookie', () => {
  fc.assert(
    fc.property(sessions, (session) => {
      expect(codec().open(codec().seal(session))).toEqual(session)
    }),
  )
})

test('every content survives the LZ4 frame, compressible or not, over block borders', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), fc.integer({ min: 1, max: 600 }), (piece, times) => {
      const content = Buffer.concat(Array.from({ length: times }, () => Buffer.from(piece)))
      const frame = writeLz4Frame(content)
      expect(readLz4Frame(frame)?.equals(content)).toBe(true)
    }),
    { numRuns: 50 },
  )
})

test('a frame another encoder wrote is read, with or without checksums', () => {
  const content = Buffer.from('eyJhbGciOiJSUzI1NiJ9.'.repeat(50))
  for (const contentChecksum of [true, false]) {
    for (const blockChecksums of [true, false]) {
      const frame = compressFrameSync(content, { contentChecksum, blockChecksums })
      expect(readLz4Frame(frame)?.equals(content)).toBe(true)
    }
  }
})

test('a frame that is cut off, altered or followed by more is refused and never throws', () => {
  const frame = writeLz4Frame(Buffer.from('kubeflow '.repeat(40)))
  for (let length = 0; length < frame.length; length += 1) {
    expect(readLz4Frame(frame.subarray(0, length)), `cut to ${length}`).toBeUndefined()
  }
  expect(readLz4Frame(Buffer.concat([frame, Buffer.from([0])]))).toBeUndefined()
  const altered = Buffer.from(frame)
  altered.writeUInt8(altered.readUInt8(frame.length - 1) ^ 1, frame.length - 1)
  expect(readLz4Frame(altered)).toBeUndefined()
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 100 }), (tail) => {
      expect(() => readLz4Frame(Buffer.concat([frame.subarray(0, 7), tail]))).not.toThrow()
    }),
  )
})

test('the checksum is xxh32 with seed 0', () => {
  expect(xxh32(Buffer.from('')).toString(16)).toBe('2cc5d05')
  expect(xxh32(Buffer.from('a')).toString(16)).toBe('550d7456')
  expect(xxh32(Buffer.from('abc')).toString(16)).toBe('32d153ff')
  expect(xxh32(Buffer.from('Nobody inspects the spammish repetition')).toString(16)).toBe('e2293b2f')
})

test('which provider someone signed in at, and claims kept beside the usual ones, are part of the session', () => {
  const session: Session = {
    createdAt: 1_700_000_000_000,
    email: 'ada@example.com',
    provider: 'github',
    additionalClaims: { department: 'ml', level: 3 },
  }
  expect(codec().open(codec().seal(session))).toEqual(session)
})
