import { expect, test } from 'vitest'
import { systemRandom } from '../../src/kit/random.ts'
import { openRealmUsers } from '../../src/realm/users.ts'
import {
  authUrl,
  claimsOf,
  postToken,
  type RealmWorld,
  realmWorld,
  redeem,
  signIn,
  smallRealm,
  type Tokens,
} from './realm-world.ts'

const refresh = (world: RealmWorld, refresh_token: string, more = {}) =>
  postToken(world, { grant_type: 'refresh_token', refresh_token, ...more })

async function refusal(response: Promise<Response>): Promise<[number, string, string]> {
  const { status } = await response
  const body = (await (await response).json()) as { error: string; error_description: string }
  return [status, body.error, body.error_description]
}

const userinfo = (world: RealmWorld, token: string) =>
  world.browser().fetch(`${world.oidc}/userinfo`, { headers: { authorization: `Bearer ${token}` } })

const signedIn = async (world: RealmWorld, parameters = {}) =>
  redeem(world, await signIn(world, world.browser(), parameters))

test('of a thousand redemptions of one code one wins, and what it got is dead', async () => {
  const world = await realmWorld()
  const code = (await signIn(world, world.browser())).searchParams.get('code') ?? ''
  const form = { grant_type: 'authorization_code', code, redirect_uri: 'https://app.example.com/callback' }
  const answers = await Promise.all(Array.from({ length: 1000 }, () => postToken(world, form)))
  const won = answers.filter(({ status }) => status === 200)
  expect(won).toHaveLength(1)
  expect(answers.filter(({ status }) => status === 400)).toHaveLength(999)
  const tokens = (await won[0]?.json()) as Tokens
  expect((await userinfo(world, tokens.access_token)).status).toBe(401)
  expect(await refusal(refresh(world, tokens.refresh_token))).toEqual([400, 'invalid_grant', 'Session not active'])
})

test('a replayed code kills what its client got, and no other client’s tokens', async () => {
  const world = await realmWorld()
  const browser = world.browser()
  const redirect = await signIn(world, browser)
  const tokens = await redeem(world, redirect)
  const silent = await browser.fetch(authUrl(world, { client_id: 'spa', redirect_uri: undefined }))
  const spaCode = new URL(silent.headers.get('location') ?? '').searchParams.get('code') ?? ''
  const spa = await postToken(world, { grant_type: 'authorization_code', client_id: 'spa', code: spaCode }, {})
  const spaTokens = (await spa.json()) as Tokens
  await expect(redeem(world, redirect)).rejects.toThrow('Code not valid')
  expect((await userinfo(world, tokens.access_token)).status).toBe(401)
  expect((await userinfo(world, spaTokens.access_token)).status).toBe(200)

  world.clock.advance(1_000)
  await browser.fetch(authUrl(world))
  expect((await userinfo(world, tokens.access_token)).status).toBe(401)
})

test('a refresh token works again and again, and may ask for less', async () => {
  const world = await realmWorld()
  const tokens = await signedIn(world)
  const [one, two] = [await refresh(world, tokens.refresh_token), await refresh(world, tokens.refresh_token)]
  expect([one.status, two.status]).toEqual([200, 200])
  const narrow = (await (await refresh(world, tokens.refresh_token, { scope: 'openid' })).json()) as Tokens
  expect(claimsOf(narrow.refresh_token)['scope']).toBe(claimsOf(tokens.refresh_token)['scope'])
  expect(await refusal(refresh(world, tokens.refresh_token, { scope: 'openid phone' }))).toEqual([
    400,
    'invalid_scope',
    'Invalid scopes: openid phone',
  ])
})

test('a refresh token is its client’s only, and nothing else passes for one', async () => {
  const world = await realmWorld()
  const tokens = await signedIn(world)
  const asSpa = postToken(
    world,
    { grant_type: 'refresh_token', refresh_token: tokens.refresh_token, client_id: 'spa' },
    {},
  )
  expect((await refusal(asSpa))[2]).toBe("Invalid refresh token. Token client and authorized client don't match")
  const [header, claims] = tokens.refresh_token.split('.')
  const forged = [
    'rubbish',
    '',
    tokens.access_token,
    tokens.id_token,
    `${header}.${claims}.${'A'.repeat(86)}`,
    `${Buffer.from('{"alg":"none"}').toString('base64url')}.${claims}.`,
  ]
  for (const token of forged) {
    expect(await refusal(refresh(world, token))).toEqual([400, 'invalid_grant', 'Invalid refresh token'])
  }
  expect((await refusal(postToken(world, { grant_type: 'refresh_token' })))[2]).toBe('No refresh token')
})

test('idling ends a session; refreshing keeps it alive, but not beyond its longest life', async () => {
  const world = await realmWorld()
  const idle = await signedIn(world)
  world.clock.advance(1_800_000)
  expect(await refusal(refresh(world, idle.refresh_token))).toEqual([400, 'invalid_grant', 'Token is not active'])

  let { refresh_token } = await signedIn(world)
  for (let hour = 0; hour < 20; hour += 1) {
    world.clock.advance(1_790_000)
    const answer = (await (await refresh(world, refresh_token)).json()) as Tokens
    refresh_token = answer.refresh_token
  }
  const last = claimsOf(refresh_token) as { exp: number }
  expect(last.exp - world.clock.now() / 1000).toBe(36_000 - 20 * 1790)
  world.clock.advance(200_000)
  expect((await refusal(refresh(world, refresh_token)))[1]).toBe('invalid_grant')
})

test('the browser’s session ends with its longest life, whatever is refreshed', async () => {
  const world = await realmWorld({ realm: { ...smallRealm, ssoSessionMaxLifespan: 3600 } })
  const browser = world.browser()
  const tokens = await redeem(world, await signIn(world, browser))
  world.clock.advance(1_700_000)
  await refresh(world, tokens.refresh_token)
  world.clock.advance(1_700_000)
  expect((await browser.fetch(authUrl(world))).status).toBe(302)
  world.clock.advance(200_000)
  expect((await browser.fetch(authUrl(world))).status).toBe(200)
})

test('lifespans of a client go before the realm’s', async () => {
  const attributes = {
    'access.token.lifespan': '60',
    'client.session.idle.timeout': '600',
    'use.refresh.tokens': 'true',
  }
  const world = await realmWorld({ realm: { ...smallRealm, clients: [{ ...smallRealm.clients[0], attributes }] } })
  expect(await signedIn(world)).toMatchObject({ expires_in: 60, refresh_expires_in: 600 })
  const without = { ...attributes, 'use.refresh.tokens': 'false' }
  const none = await realmWorld({
    realm: { ...smallRealm, clients: [{ ...smallRealm.clients[0], attributes: without }] },
  })
  expect(await signedIn(none)).not.toHaveProperty('refresh_token')
})

test('a user who is disabled, removed or moved to other groups shows it at the next refresh', async () => {
  const world = await realmWorld()
  const users = openRealmUsers({ database: world.database as never, clock: world.clock, random: systemRandom })
  const tokens = await signedIn(world, { scope: 'openid groups' })
  await users.setGroups('kubeflow', 'ada', ['team'])
  const moved = (await (await refresh(world, tokens.refresh_token)).json()) as Tokens
  expect(claimsOf(moved.id_token)['groups']).toEqual(['/team'])

  await world.database.updateTable('realm_users').set({ enabled: 0 }).where('username', '=', 'ada').execute()
  expect(await refusal(refresh(world, tokens.refresh_token))).toEqual([400, 'invalid_grant', 'User disabled'])
  expect((await userinfo(world, tokens.access_token)).status).toBe(401)
  await users.setEnabled('kubeflow', 'ada', true)
  await users.remove('kubeflow', 'ada')
  expect(await refusal(refresh(world, tokens.refresh_token))).toEqual([400, 'invalid_grant', 'Session not active'])
})

test('with rotation a refresh token works once; a second use takes everything with it', async () => {
  const world = await realmWorld({ realm: { ...smallRealm, revokeRefreshToken: true } })
  const tokens = await signedIn(world)
  const answers = await Promise.all(Array.from({ length: 50 }, () => refresh(world, tokens.refresh_token)))
  const won = answers.filter(({ status }) => status === 200)
  expect(won).toHaveLength(1)
  const next = (await won[0]?.json()) as Tokens
  expect(await refusal(refresh(world, next.refresh_token))).toEqual([400, 'invalid_grant', 'Session not active'])
})

test('with rotation and reuse allowed, so many parallel uses succeed and no more', async () => {
  const world = await realmWorld({ realm: { ...smallRealm, revokeRefreshToken: true, refreshTokenMaxReuse: 2 } })
  const tokens = await signedIn(world)
  const answers = await Promise.all([1, 2, 3].map(() => refresh(world, tokens.refresh_token)))
  expect(answers.map(({ status }) => status)).toEqual([200, 200, 200])
  expect((await refusal(refresh(world, tokens.refresh_token)))[2]).toBe('Maximum allowed refresh token reuse exceeded')
})

test('an offline token outlives the browser’s session and a sign-out', async () => {
  const world = await realmWorld()
  const browser = world.browser()
  const tokens = await redeem(world, await signIn(world, browser, { scope: 'openid offline_access' }))
  expect(claimsOf(tokens.refresh_token)).toMatchObject({ typ: 'Offline' })
  expect(claimsOf(tokens.refresh_token)).not.toHaveProperty('exp')
  expect(tokens['refresh_expires_in']).toBe(0)
  await browser.fetch(`${world.oidc}/logout?id_token_hint=${tokens.id_token}`)
  world.clock.advance(20 * 24 * 3600 * 1000)
  const refreshed = (await (await refresh(world, tokens.refresh_token)).json()) as Tokens
  expect(claimsOf(refreshed.access_token)['jti']).toMatch(/^ofrtrt:/)
  expect((await userinfo(world, refreshed.access_token)).status).toBe(200)
  world.clock.advance(31 * 24 * 3600 * 1000)
  expect((await refusal(refresh(world, tokens.refresh_token)))[2]).toBe('Session not active')
})

test('offline tokens are for users with the role offline_access', async () => {
  const users = [{ username: 'temp', realmRoles: [], credentials: [{ value: 'pw' }] }]
  const world = await realmWorld({ realm: { ...smallRealm, users } })
  const form = { grant_type: 'password', username: 'temp', password: 'pw', scope: 'openid offline_access' }
  expect(await refusal(postToken(world, form))).toEqual([
    400,
    'not_allowed',
    'Offline tokens not allowed for the user or client',
  ])
})

test('sessions that have ended are removed, those that live stay', async () => {
  const world = await realmWorld()
  await signedIn(world)
  await signedIn(world, { scope: 'openid offline_access' })
  world.clock.advance(2_000_000)
  await signedIn(world)
  const rows = await world.database.selectFrom('realm_sessions').select('offline').orderBy('offline').execute()
  expect(rows.map(({ offline }) => offline)).toEqual([0, 1])
  expect(await world.database.selectFrom('realm_client_sessions').selectAll().execute()).toHaveLength(2)
})

test('no token, code or secret appears in the log', async () => {
  const world = await realmWorld()
  const browser = world.browser()
  const redirect = await signIn(world, browser, { nonce: 'the-nonce' })
  const tokens = await redeem(world, redirect)
  await refresh(world, tokens.refresh_token)
  await refresh(world, `${tokens.refresh_token}x`)
  await expect(redeem(world, redirect)).rejects.toThrow()
  await userinfo(world, `${tokens.access_token}x`)
  const text = JSON.stringify(world.lines)
  expect(world.lines.map(({ message }) => message)).toEqual(expect.arrayContaining(['signed in', 'request refused']))
  const secrets = [...redirect.searchParams.getAll('code'), tokens.access_token, tokens.refresh_token, tokens.id_token]
  for (const secret of [...secrets, 'app-secret', 'correct horse']) {
    expect(text).not.toContain(secret.slice(0, 60))
  }
  for (const { name, value } of browser.cookies.values()) expect([name, text.includes(value)]).toEqual([name, false])
  expect(world.lines.every(({ fields }) => fields['requestId'] === 'request-1')).toBe(true)
})
