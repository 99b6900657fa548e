import { decode } from '@msgpack/msgpack'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Session } from '../session.ts'
import { readPlainSession } from './plain-session.ts'
import { decodeSession, encodeSession } from './session-bytes.ts'

const text = fc.string({ minLength: 1, maxLength: 300, unit: 'binary' })
const milliseconds = fc.integer({ min: 0, max: 4_000_000_000_000 })
const sessions: fc.Arbitrary<Session> = fc.record(
  {
    createdAt: milliseconds,
    expiresAt: milliseconds,
    accessToken: fc.string({ minLength: 1, maxLength: 5000 }),
    idToken: fc.base64String({ minLength: 4, maxLength: 3000 }),
    refreshToken: text,
    nonce: fc.uint8Array({ minLength: 32, maxLength: 32 }),
    email: fc.emailAddress(),
    user: text,
    groups: fc.array(text, { minLength: 1, maxLength: 15 }),
    preferredUsername: text,
    provider: text,
  },
  { requiredKeys: ['createdAt'] },
)

test('every session of the usual shape is read', () => {
  fc.assert(
    fc.property(sessions, (session) => {
      expect(readPlainSession(Buffer.from(encodeSession(session)))).toEqual(session)
    }),
  )
})

test('whatever it reads is what msgpack says', () => {
  fc.assert(
    fc.property(sessions, fc.nat(), fc.nat({ max: 255 }), (session, place, byte) => {
      const bytes = Buffer.from(encodeSession(session))
      bytes[place % Math.min(bytes.length, 60)] = byte
      const read = readPlainSession(bytes)
      if (!read || /\ufffd/.test(JSON.stringify(read))) return // bytes that are no UTF-8 have no meaning to agree on
      const { ca, eo, e, u, g, n } = decode(bytes) as Record<string, unknown> // it was read as a map
      expect(read).toMatchObject({ createdAt: Number(ca), ...(eo ? { expiresAt: Number(eo) } : {}) })
      expect({ e: read.email, u: read.user, g: read.groups }).toEqual({ e, u, g })
      expect(read.nonce && Buffer.from(read.nonce)).toEqual(n && Buffer.from(n as Uint8Array)) // as in the session
    }),
    { numRuns: 2000 },
  )
})

test('what is not of that shape is left to the thorough reader', () => {
  const rare: Session[] = [
    { createdAt: 1_700_000_000_000, additionalClaims: { department: 'ml' } },
    { createdAt: 1_700_000_000_000, groups: Array.from({ length: 16 }, (_, at) => `g${at}`) },
    { createdAt: 1_700_000_000_000, accessToken: 'x'.repeat(70_000) },
  ]
  for (const session of rare) {
    const bytes = Buffer.from(encodeSession(session))
    expect(readPlainSession(bytes)).toBeUndefined()
    expect(decodeSession(bytes)).toEqual(session)
  }
  const whole = Buffer.from(encodeSession({ createdAt: 1_700_000_000_000, email: 'ada@example.com' }))
  for (let length = 0; length < whole.length; length += 1) {
    expect(readPlainSession(whole.subarray(0, length)), `cut to ${length}`).toBeUndefined()
  }
})

test('a session keeps nothing of the bytes it was read from', () => {
  const session: Session = { createdAt: 1_700_000_000_000, nonce: Buffer.alloc(32, 7), additionalClaims: { at: 'it' } }
  for (const one of [session, { createdAt: session.createdAt, nonce: Buffer.alloc(32, 7) }]) {
    const bytes = Buffer.from(encodeSession(one))
    const read = decodeSession(bytes)
    bytes.fill(0)
    expect(read?.nonce).toEqual(new Uint8Array(32).fill(7))
  }
})
