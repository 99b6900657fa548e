import { createSecretKey, generateKeyPairSync, type KeyObject } from 'node:crypto'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { VerificationKey } from './jwk.ts'
import { parseJwt } from './jwt.ts'
import { signJwt } from './sign.ts'
import { verifyJwt } from './verify.ts'

const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 })
const ec = generateKeyPairSync('ec', { namedCurve: 'prime256v1' })
const ec384 = generateKeyPairSync('ec', { namedCurve: 'secp384r1' })
const ed = generateKeyPairSync('ed25519')
const now = { nowSeconds: 1_000_000, skewSeconds: 60 }

const keyOf = (key: KeyObject, kid = 'k', alg?: string): VerificationKey => ({ kid, alg, key })

test.each([
  ['RS256', rsa],
  ['RS512', rsa],
  ['PS256', rsa],
  ['ES256', ec],
  ['ES384', ec384],
  ['EdDSA', ed],
])('a %s token is believed, and not after any change of its signature', async (alg, { privateKey, publicKey }) => {
  const token = await signJwt({ sub: 'ada', exp: 1_000_100 }, { kid: 'k', alg, privateKey })
  expect(verifyJwt(token, [keyOf(publicKey)], now)).toMatchObject({ ok: true, claims: { sub: 'ada' } })
  const [header = '', claims = '', signature = ''] = token.split('.')
  const bytes = Buffer.from(signature, 'base64url')
  for (const index of [0, Math.floor(bytes.length / 2), bytes.length - 1]) {
    const changed = Buffer.from(bytes)
    changed.writeUInt8(changed.readUInt8(index) ^ 1, index)
    const forged = `${header}.${claims}.${changed.toString('base64url')}`
    expect(verifyJwt(forged, [keyOf(publicKey)], now)).toEqual({ ok: false, reason: 'bad-signature' })
  }
})

test('an ES256 signature round-trips whatever its numbers', async () => {
  await fc.assert(
    fc.asyncProperty(fc.string(), async (sub) => {
      const token = await signJwt({ sub }, { kid: 'k', alg: 'ES256', privateKey: ec.privateKey })
      expect(parseJwt(token)).toMatchObject({ signature: { length: 64 } })
      expect(verifyJwt(token, [keyOf(ec.publicKey)], now).ok).toBe(true)
    }),
    { numRuns: 100 },
  )
})

test.each(['none', 'None', 'HS256', 'toString', '__proto__', 'RS1', ''])(
  'alg `%s` never passes with an RSA key',
  async (alg) => {
    const header = Buffer.from(JSON.stringify({ alg, kid: 'k' })).toString('base64url')
    const claims = Buffer.from(JSON.stringify({ sub: 'admin' })).toString('base64url')
    const pem = rsa.publicKey.export({ format: 'pem', type: 'spki' }).toString()
    const confused = await signJwt(
      { sub: 'admin' },
      { kid: 'k', alg: 'HS256', privateKey: createSecretKey(Buffer.from(pem)) },
    )
    for (const token of [`${header}.${claims}.`, `${header}.${claims}.AAAA`, confused]) {
      expect(verifyJwt(token, [keyOf(rsa.publicKey)], now).ok).toBe(false)
    }
  },
)

test('a key embedded in the header is never used', async () => {
  const stranger = generateKeyPairSync('rsa', { modulusLength: 2048 })
  const header = {
    jwk: stranger.publicKey.export({ format: 'jwk' }),
    jku: 'https://evil.example/jwks',
    x5u: 'https://evil.example/x',
  }
  const token = await signJwt({ sub: 'admin' }, { kid: 'k', alg: 'RS256', privateKey: stranger.privateKey }, header)
  expect(verifyJwt(token, [keyOf(rsa.publicKey)], now)).toEqual({ ok: false, reason: 'bad-signature' })
})

test('a critical header we do not know is refused', async () => {
  const token = await signJwt(
    { sub: 'ada' },
    { kid: 'k', alg: 'RS256', privateKey: rsa.privateKey },
    { crit: ['b64'], b64: true },
  )
  expect(verifyJwt(token, [keyOf(rsa.publicKey)], now)).toEqual({ ok: false, reason: 'alg-not-supported' })
})

test.each([
  [{ exp: 1_000_000 - 60 }, {}, undefined],
  [{ exp: 1_000_000 - 61 }, {}, 'expired'],
  [{ nbf: 1_000_060 }, {}, undefined],
  [{ nbf: 1_000_061 }, {}, 'not-yet-valid'],
  [{}, {}, undefined],
  [{ iss: 'a' }, { issuer: 'a' }, undefined],
  [{ iss: 'a' }, { issuer: 'a/' }, 'issuer-mismatch'],
  [{}, { issuer: 'a' }, 'issuer-mismatch'],
  [{ aud: 'x' }, { audiences: ['x', 'y'] }, undefined],
  [{ aud: ['z', 'y'] }, { audiences: ['x', 'y'] }, undefined],
  [{ aud: ['z'] }, { audiences: ['x'] }, 'audience-mismatch'],
  [{}, { audiences: ['x'] }, 'audience-mismatch'],
  [{ iss: 'b', exp: 1 }, { issuer: 'a' }, 'issuer-mismatch'],
])('claims %j under %j: %s', async (claims, expectation, reason) => {
  const token = await signJwt(claims, { kid: 'k', alg: 'ES256', privateKey: ec.privateKey })
  const outcome = verifyJwt(token, [keyOf(ec.publicKey)], { ...now, ...expectation })
  expect(outcome.ok ? undefined : outcome.reason).toBe(reason)
})

test('a key is chosen by kid and alg where both sides have them', async () => {
  const token = await signJwt({}, { kid: 'k', alg: 'RS256', privateKey: rsa.privateKey })
  expect(verifyJwt(token, [keyOf(rsa.publicKey, 'other')], now)).toEqual({ ok: false, reason: 'no-matching-key' })
  expect(verifyJwt(token, [keyOf(rsa.publicKey, 'k', 'RS512')], now)).toEqual({ ok: false, reason: 'no-matching-key' })
  expect(verifyJwt(token, [], now)).toEqual({ ok: false, reason: 'no-keys' })
  expect(verifyJwt(token, [{ kid: undefined, alg: undefined, key: rsa.publicKey }], now).ok).toBe(true)
})

test('no text makes the parser throw', () => {
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string(),
        fc.array(fc.base64String(), { maxLength: 4 }).map((parts) => parts.join('.')),
      ),
      (text) => {
        parseJwt(text)
      },
    ),
  )
})
