import { expect, test } from 'vitest'
import { parseKeySet } from '../../src/tokens/jwk.ts'
import { verifyJwt } from '../../src/tokens/verify.ts'
import { postToken, type RealmWorld, realmWorld, smallRealm, type Tokens } from './realm-world.ts'

const hour = 3600 * 1000
const rotation = { period: 24 * hour, publishAhead: hour }

const certs = async (world: RealmWorld) =>
  (await (await world.browser().fetch(`${world.oidc}/certs`)).json()) as {
    keys: { kid: string; use: string; alg: string }[]
  }

const newToken = async (world: RealmWorld) =>
  ((await (await postToken(world, { grant_type: 'client_credentials' })).json()) as Tokens).access_token

const kidOf = (token: string) =>
  (JSON.parse(Buffer.from(token.split('.')[0] ?? '', 'base64url').toString()) as { kid: string }).kid

test('a key is published before it signs and until its last token is dead', async () => {
  const world = await realmWorld({ rotation })
  const old = await newToken(world)
  const [first] = (await certs(world)).keys
  expect([kidOf(old), first]).toEqual([first?.kid, expect.objectContaining({ use: 'sig', alg: 'RS256', kty: 'RSA' })])

  world.clock.advance(23 * hour)
  const announced = (await certs(world)).keys
  expect(announced).toHaveLength(2)
  expect(kidOf(await newToken(world))).toBe(first?.kid)
  const lastOld = await newToken(world)

  world.clock.advance(hour)
  const fresh = await newToken(world)
  expect(announced.map(({ kid }) => kid)).toContain(kidOf(fresh))
  expect(kidOf(fresh)).not.toBe(first?.kid)
  const published = await certs(world)
  expect(published.keys[0]?.kid).toBe(kidOf(fresh))
  const expected = { issuer: world.issuer, nowSeconds: world.clock.now() / 1000 - hour / 1000, skewSeconds: 0 }
  expect(verifyJwt(lastOld, parseKeySet(published), expected).ok).toBe(true)

  world.clock.advance(11 * hour)
  expect((await certs(world)).keys.map(({ kid }) => kid)).not.toContain(first?.kid)
})

test('a realm may sign with ES256', async () => {
  const world = await realmWorld({ realm: { ...smallRealm, defaultSignatureAlgorithm: 'ES256' } })
  const document = await certs(world)
  expect(document.keys[0]).toMatchObject({ kty: 'EC', alg: 'ES256', use: 'sig' })
  const expected = { issuer: world.issuer, nowSeconds: world.clock.now() / 1000, skewSeconds: 0 }
  expect(verifyJwt(await newToken(world), parseKeySet(document), expected).ok).toBe(true)
})

test('the realm tells old adapters its public key', async () => {
  const world = await realmWorld()
  const answer = await world.browser().fetch(world.issuer)
  expect(answer.headers.get('content-type')).toBe('application/json;charset=UTF-8')
  const facts = (await answer.json()) as Record<string, unknown>
  expect(Object.keys(facts)).toEqual(['realm', 'public_key', 'token-service', 'account-service', 'tokens-not-before'])
  expect(facts['token-service']).toBe(world.oidc)
  expect(String(facts['public_key'])).toMatch(/^MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8A/)
})
