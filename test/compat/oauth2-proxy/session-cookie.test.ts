import { expect, test } from 'vitest'
import { cookieKey } from '../../../src/proxy/sessions/cookie-secret.ts'
import { decodeSession, encodeSession } from '../../../src/proxy/sessions/session-bytes.ts'
import { openSessionCodec } from '../../../src/proxy/sessions/session-codec.ts'
import { proxyWorld } from '../../features/proxy-world.ts'
import recorded from './session-cookie.json' with { type: 'json' }

const key = cookieKey(recorded.cookie_secret) ?? Buffer.alloc(0)
const codec = openSessionCodec({
  name: recorded.cookie_name,
  keys: { secret: recorded.cookie_secret, key },
  lifetimeSeconds: 86_400,
  clock: { now: () => 1_700_000_100_000 },
  random: { bytes: () => Buffer.from(recorded.iv, 'hex') },
})

test('a secret of 32 hex digits is a 24-byte key', () => {
  expect(key.toString('hex')).toBe(recorded.aes_key)
})

test('the recorded session is written and read byte for byte', () => {
  expect(Buffer.from(encodeSession(recorded.session)).toString('hex')).toBe(recorded.payload)
  expect(decodeSession(Buffer.from(recorded.payload, 'hex'))).toEqual(recorded.session)
  expect(codec.seal(recorded.session)).toBe(recorded.cookie)
  expect(codec.open(recorded.cookie)).toEqual(recorded.session)
})

test('whoever holds the recorded cookie is signed in after the swap', async () => {
  const { browser } = await proxyWorld({ cookie_secret: recorded.cookie_secret, cookie_name: recorded.cookie_name })
  browser.cookies.set(recorded.cookie_name, recorded.cookie)
  const answer = await browser.check('/pipeline/')
  expect(answer.status).toBe(200)
  expect(answer.headers).toMatchObject({ 'x-auth-request-email': 'user@example.com', 'x-auth-request-user': 'abc' })
})
