import { expect, test } from 'vitest'
import type { Part } from '../../src/http/part.ts'
import {
  claimsOf,
  openBrowser,
  openWorld,
  proxyClient,
  redeem,
  signIn,
  type TokenBody,
  tokenRequest,
  user,
} from './broker-world.ts'

async function refresh(
  broker: Part,
  token: string | undefined,
  more: Record<string, string> = {},
  client: { id: string; secret: string } = proxyClient,
) {
  const response = await tokenRequest(
    broker,
    { grant_type: 'refresh_token', refresh_token: token ?? '', ...more },
    client,
  )
  const body = (await response.json()) as TokenBody & { error?: string; error_description?: string }
  return { status: response.status, body, token: body.refresh_token }
}

async function signedIn(refreshTokens: Record<string, unknown> = {}, config: Record<string, unknown> = {}) {
  const world = await openWorld({ expiry: { refreshTokens }, ...config })
  const { refresh_token } = await redeem(world.broker, await signIn(openBrowser(world.broker), { nonce: 'n-0S6' }))
  return { ...world, first: refresh_token }
}

const claimed = 'Refresh token is invalid or has already been claimed by another client.'

test('a refresh gives new tokens of the same person and a new refresh token', async () => {
  const { broker, first, clock } = await signedIn()
  clock.advance(60_000)
  const { status, body, token } = await refresh(broker, first)
  expect(status).toBe(200)
  expect(token).not.toBe(first)
  const claims = claimsOf(body.id_token)
  expect(claims).toMatchObject({ nonce: 'n-0S6', email: user.email, iat: clock.now() / 1000 })
  expect(claims).not.toHaveProperty('c_hash')
})

test('no offline_access, no refresh token', async () => {
  const { broker } = await openWorld()
  const tokens = await redeem(broker, await signIn(openBrowser(broker), { scope: 'openid email' }))
  expect(tokens).not.toHaveProperty('refresh_token')
})

test('within the reuse interval the old and the current token both give the current one, after it the old one ends the family', async () => {
  const { broker, first, clock } = await signedIn({ reuseInterval: '30s' })
  clock.advance(31_000)
  const second = (await refresh(broker, first)).token
  clock.advance(29_000)
  expect((await refresh(broker, first)).token).toBe(second)
  expect((await refresh(broker, second)).token).toBe(second)
  clock.advance(2_000)
  expect(await refresh(broker, first)).toMatchObject({
    status: 400,
    body: { error: 'invalid_request', error_description: claimed },
  })
  expect((await refresh(broker, second)).status).toBe(400)
})

test('ten refreshes in parallel all succeed with the same new token', async () => {
  const { broker, first, clock } = await signedIn({ reuseInterval: '30s' })
  clock.advance(31_000)
  const results = await Promise.all(Array.from({ length: 10 }, () => refresh(broker, first)))
  expect(results.map(({ status }) => status)).toEqual(Array.from({ length: 10 }, () => 200))
  expect(new Set(results.map(({ token }) => token)).size).toBe(1)
  expect(results[0]?.token).not.toBe(first)
})

test('of a thousand parallel refreshes without a reuse interval one wins and its token stays good', async () => {
  const { broker, first } = await signedIn()
  const results = await Promise.all(Array.from({ length: 1000 }, () => refresh(broker, first)))
  const won = results.filter(({ status }) => status === 200)
  expect(won).toHaveLength(1)
  expect((await refresh(broker, won[0]?.token)).status).toBe(200)
})

test('a token stolen and used later ends the family, the thief’s token too', async () => {
  const { broker, first, clock } = await signedIn()
  const thiefs = (await refresh(broker, first)).token
  clock.advance(11_000)
  expect((await refresh(broker, first)).status).toBe(400)
  expect((await refresh(broker, thiefs)).status).toBe(400)
})

test('a token two rotations old ends the family at once', async () => {
  const { broker, first } = await signedIn()
  const second = (await refresh(broker, first)).token
  const third = (await refresh(broker, second)).token
  expect((await refresh(broker, first)).status).toBe(400)
  expect((await refresh(broker, third)).status).toBe(400)
})

test('a forged token neither works nor harms the family it names', async () => {
  const { broker, first = '' } = await signedIn()
  const bytes = Buffer.from(first, 'base64url')
  bytes[bytes.length - 1] = (bytes[bytes.length - 1] ?? 0) ^ 1
  for (const forged of [bytes.toString('base64url'), 'x', first.slice(0, 20), `${first}AAAA`]) {
    expect((await refresh(broker, forged)).body.error).toBe('invalid_request')
  }
  expect((await refresh(broker, '')).body.error_description).toBe('No refresh token is found in request.')
  expect((await refresh(broker, first)).status).toBe(200)
})

test('every sign-in has its own family: a second device does not end the first', async () => {
  const { broker, first } = await signedIn()
  const { refresh_token: second } = await redeem(broker, await signIn(openBrowser(broker)))
  expect((await refresh(broker, first)).status).toBe(200)
  expect((await refresh(broker, second)).status).toBe(200)
})

test('with rotation off the token stays the same', async () => {
  const { broker, first, clock } = await signedIn({ disableRotation: true })
  clock.advance(60_000)
  expect((await refresh(broker, first)).token).toBe(first)
  expect((await refresh(broker, first)).token).toBe(first)
})

test.each([
  ['validIfNotUsedFor', 5],
  ['absoluteLifetime', 3],
])('%s ends a token', async (limit, uses) => {
  const { broker, first, clock } = await signedIn({ [limit]: '1h' })
  let token = first
  for (let use = 0; use < uses; use += 1) {
    clock.advance(limit === 'absoluteLifetime' ? 1_200_000 : 3_599_000)
    const next = await refresh(broker, token)
    expect(next.status).toBe(200)
    token = next.token
  }
  clock.advance(3_600_001)
  expect((await refresh(broker, token)).body).toEqual({
    error: 'invalid_request',
    error_description: 'Refresh token expired.',
  })
})

test('a refresh may ask for less, not for more, and by another client not at all', async () => {
  const other = { id: 'other', secret: 'x', name: 'Other', redirectURIs: [] }
  const { broker, first } = await signedIn({}, { staticClients: [proxyClient, other] })
  const stolen = await refresh(broker, first, {}, other)
  expect([stolen.status, stolen.body]).toEqual([400, { error: 'invalid_grant', error_description: claimed }])
  const wider = await refresh(broker, first, { scope: 'openid federated:id x' })
  expect(wider.body.error_description).toBe('Requested scopes contain unauthorized scope(s): ["federated:id" "x"].')
  const narrower = await refresh(broker, first, { scope: 'openid' })
  expect(claimsOf(narrower.body.id_token)).not.toHaveProperty('email')
})

test('a user taken out of the password database is refused, one whose groups changed has the new ones', async () => {
  const { first, broker, reopen } = await signedIn()
  const changed = await reopen({ staticPasswords: [{ ...user, groups: ['other'] }] })
  const second = await refresh(changed, first)
  expect(claimsOf(second.body.id_token)).toMatchObject({ groups: ['other'] })
  const without = await reopen({ staticPasswords: [] })
  expect((await refresh(without, second.token)).body.error).toBe('invalid_grant')
  expect((await refresh(broker, second.token)).status).toBe(400)
})

test('a refresh token of before a restart works after it, on another replica too', async () => {
  const { first, reopen } = await signedIn()
  const second = await refresh(await reopen(), first)
  expect((await refresh(await reopen(), second.token)).status).toBe(200)
})
