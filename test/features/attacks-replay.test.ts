import { createHash } from 'node:crypto'
import { Agent, request } from 'undici'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { platformFiles } from '../world/platform-files.ts'
import { type AttackWorld, attackWorld, authorize } from './attacks-world.ts'

const wiki = {
  id: 'wiki',
  secret: 'Yt7mQ2rHc9JwXaP4dNvB',
  redirectUri: 'https://wiki.example/login',
  signedOutUri: 'https://wiki.example/bye',
}

/** The two issuers, and how each says that nothing is to be had any more. */
const issuers = [
  { name: 'realm', base: '/auth/realms/platform/protocol/openid-connect', scope: 'openid' },
  { name: 'broker', base: '/dex', scope: 'openid email offline_access' },
] as const
type Issuer = (typeof issuers)[number]

let world: AttackWorld
const connections = new Agent({ connections: 32 })
beforeAll(async () => {
  world = await attackWorld({ from: platformFiles({ relyingParties: [wiki] }) })
})
afterAll(async () => {
  await connections.close()
  await world.close()
})

interface TokenAnswer {
  readonly status: number
  readonly json: Readonly<Record<string, unknown>>
}

async function post({ base }: Issuer, fields: Readonly<Record<string, string>>): Promise<TokenAnswer> {
  const client = { client_id: wiki.id, client_secret: wiki.secret, ...fields }
  const { statusCode, body } = await request(`${world.origin}${base}/token`, {
    method: 'POST',
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    body: new URLSearchParams(client).toString(),
    dispatcher: connections,
  })
  return { status: statusCode, json: (await body.json()) as Record<string, unknown> }
}

/** A fresh code for the client `wiki`. */
async function codeOf({ base, scope }: Issuer, more: Readonly<Record<string, string>> = {}): Promise<string> {
  const { browser } = await world.signIn()
  const query = new URLSearchParams({
    ...{ client_id: wiki.id, redirect_uri: wiki.redirectUri, response_type: 'code', state: 's', scope, ...more },
  })
  const back = await authorize(world, browser, { url: `${base}/auth?${query}`, redirectUri: wiki.redirectUri })
  return back.searchParams.get('code') ?? ''
}

const redeem = (issuer: Issuer, code: string, more: Readonly<Record<string, string>> = {}) =>
  post(issuer, { grant_type: 'authorization_code', code, redirect_uri: wiki.redirectUri, ...more })

const refresh = (issuer: Issuer, token: unknown, more: Readonly<Record<string, string>> = {}) =>
  post(issuer, { grant_type: 'refresh_token', refresh_token: String(token), ...more })

/** Whether an access token still speaks for someone. */
async function isAlive({ base }: Issuer, token: unknown): Promise<boolean> {
  const { status } = await world.ask(`${base}/userinfo`, { headers: [`Authorization: Bearer ${String(token)}`] })
  return status === 200
}

const won = (answers: readonly TokenAnswer[]) => answers.filter(({ status }) => status === 200)

describe.each(issuers)('at the $name', (issuer) => {
  test('of a thousand redemptions of one code one wins, and what it won is taken back', {
    timeout: 120_000,
  }, async () => {
    const code = await codeOf(issuer)
    const answers = await Promise.all(Array.from({ length: 1000 }, () => redeem(issuer, code)))
    const winners = won(answers)
    expect(winners).toHaveLength(1)
    for (const { status, json } of answers.filter((answer) => !winners.includes(answer))) {
      expect([status, json['error'], json['access_token']]).toEqual([400, 'invalid_grant', undefined])
    }
    const tokens = winners[0]?.json ?? {}
    expect((await refresh(issuer, tokens['refresh_token'])).status).toBe(400)
    expect(await isAlive(issuer, tokens['access_token'])).toBe(false)
  })

  test('a code redeemed again, long after it served, takes everything back that came of it', async () => {
    const code = await codeOf(issuer)
    const { json: first } = await redeem(issuer, code)
    const { json: second } = await refresh(issuer, first['refresh_token'])
    expect(await isAlive(issuer, second['access_token'])).toBe(true)
    expect((await redeem(issuer, code)).status).toBe(400)
    expect(await isAlive(issuer, second['access_token'])).toBe(false)
    expect((await refresh(issuer, second['refresh_token'])).status).toBe(400)
  })

  test.each([
    ['with another redirect URI', { redirect_uri: 'https://wiki.example/other' }],
    ['without its redirect URI', { redirect_uri: '' }],
    ['with a verifier for a challenge that was never made', { code_verifier: 'v'.repeat(43) }],
    ['with a wrong secret', { client_secret: 'wrong' }],
    ['without a secret', { client_secret: '' }],
    ['as a client that does not exist', { client_id: '__proto__' }],
  ])('a code is worth nothing %s', async (_, more) => {
    const { status, json } = await redeem(issuer, await codeOf(issuer), more)
    expect([400, 401]).toContain(status)
    expect(json['access_token']).toBeUndefined()
  })
})

const verifier = 'v'.repeat(64)
const challenge = createHash('sha256').update(verifier).digest('base64url')

describe.each(issuers)('at the $name a code with a challenge', (issuer) => {
  const s256 = { code_challenge: challenge, code_challenge_method: 'S256' }

  test.each([
    ['without a verifier', s256, {}],
    ['with an empty verifier', s256, { code_verifier: '' }],
    ['with another verifier', s256, { code_verifier: 'w'.repeat(64) }],
    ['with the challenge as the verifier', s256, { code_verifier: challenge }],
    ['with a method of the thief’s own', s256, { code_verifier: challenge, code_challenge_method: 'plain' }],
    ['whose method was stripped on its way', { code_challenge: challenge }, { code_verifier: verifier }],
  ] as const)('is worth nothing %s', async (_, asked, given) => {
    const { status, json } = await redeem(issuer, await codeOf(issuer, asked), given)
    expect([status, json['access_token']]).toEqual([400, undefined])
  })

  test('is worth something to who made it', async () => {
    expect((await redeem(issuer, await codeOf(issuer, s256), { code_verifier: verifier })).status).toBe(200)
  })
})

const [realm, broker] = issuers

test('at the broker a refresh token that was rotated away betrays the thief: the whole family dies', async () => {
  const { json: first } = await redeem(broker, await codeOf(broker))
  const { json: second } = await refresh(broker, first['refresh_token'])
  const { json: third } = await refresh(broker, second['refresh_token'])
  expect(third['refresh_token']).not.toBe(first['refresh_token'])
  expect((await refresh(broker, first['refresh_token'])).status).toBe(400) // two rotations old: no race between two tabs
  expect((await refresh(broker, third['refresh_token'])).status).toBe(400)
})

test('at the broker of many uses of one refresh token at once one rotates it', async () => {
  const { json: first } = await redeem(broker, await codeOf(broker))
  const answers = await Promise.all(Array.from({ length: 200 }, () => refresh(broker, first['refresh_token'])))
  const winners = won(answers)
  expect(winners).toHaveLength(1)
  // a race is no theft: who won it goes on
  expect((await refresh(broker, winners[0]?.json['refresh_token'])).status).toBe(200)
})

test('at the realm, where tokens are not rotated, a refresh never gives more than was granted', async () => {
  const { json: first } = await redeem(realm, await codeOf(realm))
  const answers = await Promise.all(Array.from({ length: 50 }, () => refresh(realm, first['refresh_token'])))
  expect(won(answers)).toHaveLength(50) // Keycloak's default
  for (const scope of ['openid offline_access', 'openid admin', 'microprofile-jwt']) {
    expect((await refresh(realm, first['refresh_token'], { scope })).status).toBe(400)
  }
  expect((await refresh(broker, first['refresh_token'])).status).toBe(400)
})

test('a sign-out takes every refresh token with it, also while refreshes are under way', async () => {
  const { browser } = await world.signIn()
  const query = new URLSearchParams({
    ...{ client_id: wiki.id, redirect_uri: wiki.redirectUri, response_type: 'code', state: 's', scope: broker.scope },
  })
  const back = await authorize(world, browser, { url: `/dex/auth?${query}`, redirectUri: wiki.redirectUri })
  const { json: first } = await redeem(broker, back.searchParams.get('code') ?? '')
  const racing = Array.from({ length: 20 }, () => refresh(broker, first['refresh_token']))
  await browser.follow(`${world.origin}/oauth2/sign_out`)
  const answers = await Promise.all(racing)
  for (const { json } of won(answers)) {
    expect((await refresh(broker, json['refresh_token'])).status).toBe(400)
    expect(await isAlive(broker, json['access_token'])).toBe(false)
  }
  expect((await refresh(broker, first['refresh_token'])).status).toBe(400)
})
