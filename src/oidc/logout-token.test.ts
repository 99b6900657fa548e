import { generateKeyPairSync } from 'node:crypto'
import { expect, test } from 'vitest'
import { testClock } from '../../test/world/clock.ts'
import { testDatabase } from '../../test/world/database.ts'
import { seededRandom } from '../../test/world/random.ts'
import { openSqlRecords } from '../store/records.ts'
import { parseKeySet, publicJwk } from '../tokens/jwk.ts'
import { signJwt } from '../tokens/sign.ts'
import { logoutEvent, logoutTokenClaims, verifyLogoutToken } from './logout-token.ts'

const pair = () => generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey
const [genuine, foreign] = [pair(), pair()]
const keys = parseKeySet({ keys: [publicJwk(genuine, { kid: 'k', alg: 'ES256' })] })
const issuer = 'https://id.example.com'

async function world() {
  const clock = testClock()
  const records = openSqlRecords(await testDatabase(), clock)
  const random = seededRandom()
  const rules = {
    issuer,
    audiences: ['notes'],
    keysFor: async () => keys,
    used: records.collection<true>('used'),
    clock,
  }
  const claims = () => logoutTokenClaims({ issuer, clientId: 'notes', subject: 'ada', sid: 's1' }, { clock, random })
  const sign = (changes: object = {}, header: object = { typ: 'logout+jwt' }, privateKey = genuine) =>
    signJwt({ ...claims(), ...changes }, { kid: 'k', alg: 'ES256', privateKey }, { ...header })
  const verify = (token: string, changes: object = {}) => verifyLogoutToken(token, { ...rules, ...changes })
  return { clock, sign, verify, now: clock.now() / 1000 }
}

test('what a provider of ours sends, a client of ours believes', async () => {
  const { clock, sign, verify } = await world()
  expect(await verify(await sign())).toEqual({
    kind: 'believed',
    notice: { issuer, sid: 's1', subject: 'ada', issuedAt: clock.now() },
  })
})

test('a user may be named without a session, and a session without its user', async () => {
  const { sign, verify } = await world()
  expect(await verify(await sign({ sid: undefined }))).toMatchObject({ notice: { subject: 'ada' } })
  const { notice } = (await verify(await sign({ sub: undefined }))) as { notice: object }
  expect(notice).not.toHaveProperty('subject')
})

test.each([undefined, 'JWT', 'logout+jwt', 'application/logout+jwt'])('typ %s is a logout token’s', async (typ) => {
  const { sign, verify } = await world()
  expect(await verify(await sign({}, typ === undefined ? {} : { typ }))).toMatchObject({ kind: 'believed' })
})

test.each([
  ['another issuer', { iss: 'https://evil.example.com' }, 'issuer-mismatch'],
  ['another audience', { aud: 'grafana' }, 'audience-mismatch'],
  ['no audience', { aud: undefined }, 'audience-mismatch'],
  ['long expired', { exp: 1000 }, 'expired'],
  ['no expiry', { exp: undefined }, 'no-time'],
  ['no time of issue', { iat: undefined }, 'no-time'],
  ['issued in the future', { iat: 4_000_000_000 }, 'not-yet-valid'],
  ['no jti', { jti: undefined }, 'no-jti'],
  ['neither sid nor sub', { sid: undefined, sub: undefined }, 'nobody-named'],
  ['a sid that is no text', { sid: 7 }, 'bad-sid'],
  ['no events', { events: undefined }, 'no-logout-event'],
  ['another event', { events: { 'https://example.com/event': {} } }, 'no-logout-event'],
  ['an event that is no object', { events: { [logoutEvent]: true } }, 'no-logout-event'],
  ['a nonce, as in an ID token', { nonce: 'n' }, 'has-nonce'],
  ['an empty nonce', { nonce: null }, 'has-nonce'],
])('a logout token with %s is refused', async (_, changes, reason) => {
  const { sign, verify } = await world()
  expect(await verify(await sign(changes))).toEqual({ kind: 'refused', reason })
})

test('an access token, a forged token and an unsigned one are refused', async () => {
  const { sign, verify } = await world()
  expect(await verify(await sign({}, { typ: 'at+jwt' }))).toEqual({ kind: 'refused', reason: 'wrong-typ' })
  expect(await verify(await sign({}, {}, foreign))).toEqual({ kind: 'refused', reason: 'bad-signature' })
  const [, payload] = (await sign()).split('.')
  const none = Buffer.from('{"alg":"none"}').toString('base64url')
  expect(await verify(`${none}.${payload}.`)).toEqual({ kind: 'refused', reason: 'alg-not-supported' })
  expect(await verify('not a token')).toMatchObject({ kind: 'refused', reason: 'malformed' })
})

test('a logout token is taken once; one that could not be verified may come again', async () => {
  const { sign, verify } = await world()
  const token = await sign()
  expect(await verify(token, { keysFor: async () => undefined })).toEqual({ kind: 'unavailable' })
  expect(await verify(token, { audiences: ['grafana'] })).toMatchObject({ kind: 'refused' })
  expect(await verify(token)).toMatchObject({ kind: 'believed' })
  expect(await verify(token)).toEqual({ kind: 'refused', reason: 'replayed' })
  expect(await verify(await sign())).toMatchObject({ kind: 'believed' })
})

test('clocks may be a minute apart', async () => {
  const { sign, verify, now } = await world()
  expect(await verify(await sign({ iat: now + 59 }))).toMatchObject({ kind: 'believed' })
  expect(await verify(await sign({ exp: now - 59 }))).toMatchObject({ kind: 'believed' })
})
