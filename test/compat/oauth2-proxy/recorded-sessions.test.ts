import { describe, expect, test } from 'vitest'
import { cookieKey } from '../../../src/proxy/sessions/cookie-secret.ts'
import { openSessionCodec } from '../../../src/proxy/sessions/session-codec.ts'
import { firstSessionText, sessionTexts } from '../../../src/proxy/sessions/session-cookies.ts'
import { parseJwt } from '../../../src/tokens/jwt.ts'
import { seededRandom } from '../../world/random.ts'
import recording from './recorded-sessions.json' with { type: 'json' }

const lifetimeSeconds = 86_400
const { cookieName: name, sessions } = recording

/** Reads as our proxy would, `seconds` after the recording. */
function openAt(recorded: (typeof sessions)[number], seconds: number, value = textOf(recorded)) {
  const { secret, recordedAt } = recorded
  const keys = { secret, key: cookieKey(secret) ?? Buffer.alloc(0) }
  const clock = { now: () => Date.parse(recordedAt) + seconds * 1000 }
  return openSessionCodec({ name, keys, lifetimeSeconds, clock, random: seededRandom() }).open(value)
}

const textOf = ({ cookie }: (typeof sessions)[number]): string => firstSessionText(cookie, name) ?? ''

describe.each(sessions)(`a session of ${recording.program}: $what`, (recorded) => {
  test('is read with its user, groups and tokens', () => {
    const session = openAt(recorded, 10)
    expect(session).toMatchObject({
      email: recorded['x-auth-request-email'],
      groups: recorded['x-auth-request-groups'].split(','),
    })
    for (const token of [session?.idToken, session?.accessToken]) {
      expect(parseJwt(token ?? '')).toMatchObject({ claims: { email: session?.email, sub: session?.user } })
    }
    expect(session?.refreshToken).toMatch(/^\S+$/)
    expect(session?.nonce).toHaveLength(32)
  })

  test('is the same however its cookies are found', () => {
    expect(sessionTexts(recorded.cookie, name)).toEqual([textOf(recorded)])
  })

  test('is dead when its cookie is', () => {
    expect(openAt(recorded, lifetimeSeconds - 10)).toBeDefined()
    expect(openAt(recorded, lifetimeSeconds + 10)).toBeUndefined()
  })

  test('is nothing with one character changed', () => {
    const text = textOf(recorded)
    const altered = text.slice(0, 100) + (text[100] === 'A' ? 'B' : 'A') + text.slice(101)
    expect(openAt(recorded, 10, altered)).toBeUndefined()
  })
})
