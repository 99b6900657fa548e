import { expect, test } from 'vitest'
import { challengeOf } from '../../src/oauth/pkce.ts'
import { halfHash } from '../../src/oidc/half-hash.ts'
import {
  claimsOf,
  issuer,
  openBrowser,
  openWorld,
  proxyClient,
  redeem,
  signIn,
  type TokenBody,
  tokenRequest,
  user,
} from './broker-world.ts'

const other = {
  id: 'mlflow',
  secret: 'other-secret',
  name: 'MLflow',
  redirectURIs: ['https://mlflow.example.com/callback'],
}
const redeeming = (code: string, more: Record<string, string> = {}) => ({
  grant_type: 'authorization_code',
  code,
  redirect_uri: '/oauth2/callback',
  ...more,
})
const verifier = 'a-verifier-of-at-least-forty-three-characters-0'

test('the answer is Dex’s: members, order, lifetimes, and it is not cached', async () => {
  const { broker, clock } = await openWorld({ expiry: { idTokens: '1h' } })
  const code = await signIn(openBrowser(broker), { nonce: 'n-0S6' })
  const response = await tokenRequest(broker, redeeming(code))
  expect([response.headers.get('cache-control'), response.headers.get('pragma')]).toEqual(['no-store', 'no-cache'])
  const body = (await response.json()) as TokenBody
  expect(Object.keys(body)).toEqual(['access_token', 'token_type', 'expires_in', 'refresh_token', 'id_token'])
  expect(body).toMatchObject({ token_type: 'bearer', expires_in: 3600 })
  const claims = claimsOf(body.id_token)
  const now = clock.now() / 1000
  expect(claims).toMatchObject({
    iat: now,
    exp: now + 3600,
    nonce: 'n-0S6',
    at_hash: halfHash(body.access_token, 'RS256'),
    c_hash: halfHash(code, 'RS256'),
  })
  const access = claimsOf(body.access_token)
  expect({ ...claims, at_hash: 0, c_hash: 0 }).toEqual({ ...access, at_hash: 0, c_hash: 0 })
  expect(access['at_hash']).not.toBe(claims['at_hash'])
  expect(access).not.toHaveProperty('c_hash')
})

test('of a thousand parallel redemptions one wins, and what it got is revoked', async () => {
  const { broker } = await openWorld()
  const browser = openBrowser(broker)
  const code = await signIn(browser)
  const responses = await Promise.all(Array.from({ length: 1000 }, () => tokenRequest(broker, redeeming(code))))
  const won = responses.filter(({ status }) => status === 200)
  expect(won).toHaveLength(1)
  const [body] = (await Promise.all(won.map((response) => response.json()))) as TokenBody[]
  expect((await browser.get('/dex/userinfo', { authorization: `Bearer ${body?.access_token}` })).status).toBe(403)
  const refresh = { grant_type: 'refresh_token', refresh_token: body?.refresh_token ?? 'none' }
  expect((await tokenRequest(broker, refresh)).status).toBe(400)
  for (const response of responses.filter(({ status }) => status !== 200)) {
    expect(response.status).toBe(400)
    expect(await response.json()).toMatchObject({ error: 'invalid_grant' })
  }
})

test('a code used twice ends everything the first use gave', async () => {
  const { broker } = await openWorld()
  const browser = openBrowser(broker)
  const code = await signIn(browser)
  const tokens = await redeem(broker, code)
  const again = await tokenRequest(broker, redeeming(code))
  expect(again.status).toBe(400)
  expect(await again.json()).toEqual({
    error: 'invalid_grant',
    error_description: 'Invalid or expired code parameter.',
  })
  const refresh = { grant_type: 'refresh_token', refresh_token: tokens.refresh_token ?? '' }
  expect((await tokenRequest(broker, refresh)).status).toBe(400)
  expect((await browser.get('/dex/userinfo', { authorization: `Bearer ${tokens.access_token}` })).status).toBe(403)
})

test('without sessions a code used twice still revokes the refresh token', async () => {
  const { broker } = await openWorld({ sessions: { enabled: false } })
  const code = await signIn(openBrowser(broker))
  const tokens = await redeem(broker, code)
  expect((await tokenRequest(broker, redeeming(code))).status).toBe(400)
  const refresh = { grant_type: 'refresh_token', refresh_token: tokens.refresh_token ?? '' }
  expect((await tokenRequest(broker, refresh)).status).toBe(400)
})

test('a code lasts half an hour', async () => {
  const { broker, clock } = await openWorld()
  const early = await signIn(openBrowser(broker))
  clock.advance(30 * 60_000 - 1)
  expect((await tokenRequest(broker, redeeming(early))).status).toBe(200)
  const late = await signIn(openBrowser(broker))
  clock.advance(30 * 60_000)
  expect((await tokenRequest(broker, redeeming(late))).status).toBe(400)
})

test('who cannot redeem a code does not burn it for its owner', async () => {
  const { broker } = await openWorld({ staticClients: [proxyClient, other] })
  const code = await signIn(openBrowser(broker), {
    code_challenge: challengeOf(verifier),
    code_challenge_method: 'S256',
  })
  const attempts: [Record<string, string>, typeof proxyClient, string][] = [
    [redeeming(code, { code_verifier: verifier }), other, 'invalid_grant'],
    [redeeming(code, { code_verifier: `${verifier}x` }), proxyClient, 'invalid_grant'],
    [redeeming(code), proxyClient, 'invalid_grant'],
    [redeeming(code, { code_verifier: challengeOf(verifier) }), proxyClient, 'invalid_grant'],
    [redeeming(code, { code_verifier: verifier, redirect_uri: '/oauth2/callback/' }), proxyClient, 'invalid_request'],
  ]
  for (const [form, client, error] of attempts) {
    const response = await tokenRequest(broker, form, client)
    expect([response.status, ((await response.json()) as { error: string }).error]).toEqual([400, error])
  }
  expect((await tokenRequest(broker, redeeming(code, { code_verifier: verifier }))).status).toBe(200)
})

test('a verifier without a challenge is refused, and a plain challenge is compared as it is', async () => {
  const { broker } = await openWorld()
  const without = await signIn(openBrowser(broker))
  const refused = await tokenRequest(broker, redeeming(without, { code_verifier: verifier }))
  expect(await refused.json()).toEqual({
    error: 'invalid_request',
    error_description: 'No PKCE flow started. Cannot check code_verifier.',
  })
  const plain = await signIn(openBrowser(broker), { code_challenge: verifier })
  expect((await tokenRequest(broker, redeeming(plain, { code_verifier: verifier }))).status).toBe(200)
})

test.each([
  ['no secret', { id: proxyClient.id, secret: '' }],
  ['a wrong secret', { id: proxyClient.id, secret: 'wrong' }],
  ['an unknown client', { id: 'nobody', secret: '' }],
  ['a name from the prototype', { id: '__proto__', secret: '' }],
])('%s is invalid_client, without a challenge to authenticate', async (_what, client) => {
  const { broker } = await openWorld()
  const response = await tokenRequest(broker, redeeming('x'), client)
  expect([response.status, response.headers.get('www-authenticate')]).toEqual([401, null])
  expect(await response.json()).toEqual({ error: 'invalid_client', error_description: 'Invalid client credentials.' })
})

test('credentials may come in the form, and encoded in the header', async () => {
  const odd = { ...proxyClient, id: 'a b', secret: 'p+ä:%' }
  const { broker } = await openWorld({ staticClients: [odd] })
  const parameters = { client_id: odd.id }
  const inForm = redeeming(await signIn(openBrowser(broker), parameters), {
    client_id: odd.id,
    client_secret: odd.secret,
  })
  const response = await broker.fetch(
    new Request(`${issuer}/token`, { method: 'POST', body: new URLSearchParams(inForm) }),
  )
  expect(response.status).toBe(200)
  const encoded = { id: 'a+b', secret: encodeURIComponent(odd.secret) }
  const code = await signIn(openBrowser(broker), parameters)
  expect((await tokenRequest(broker, redeeming(code), encoded)).status).toBe(200)
})

test('a public client has no secret, and may not send one', async () => {
  const cli = { id: 'cli', name: 'CLI', public: true }
  const { broker } = await openWorld({ staticClients: [cli] })
  const redirect_uri = 'http://127.0.0.1:8085/callback'
  const signInCli = () => signIn(openBrowser(broker), { client_id: 'cli', redirect_uri })
  const form = async () => redeeming(await signInCli(), { redirect_uri })
  expect((await tokenRequest(broker, await form(), { id: 'cli', secret: '' })).status).toBe(200)
  expect((await tokenRequest(broker, await form(), { id: 'cli', secret: 'x' })).status).toBe(401)
})

test.each([
  ['GET', undefined, { error: 'invalid_request', error_description: 'method not allowed' }],
  ['POST', new URLSearchParams(), { error: 'unsupported_grant_type' }],
  ['POST', new URLSearchParams({ grant_type: 'constructor' }), { error: 'unsupported_grant_type' }],
  ['POST', new URLSearchParams({ grant_type: 'password' }), { error: 'unsupported_grant_type' }],
])('%s with %s is refused as Dex does', async (method, body, expected) => {
  const { broker } = await openWorld()
  const response = await broker.fetch(new Request(`${issuer}/token`, { method, ...(body ? { body } : {}) }))
  expect([response.status, await response.json()]).toEqual([400, expected])
})

const passwordGrant = { oauth2: { passwordConnector: 'local' } }
const byPassword = {
  grant_type: 'password',
  username: user.email,
  password: 'password',
  scope: 'openid email offline_access',
}

test('the password grant gives tokens, a refresh token where asked for', async () => {
  const { broker } = await openWorld(passwordGrant)
  const response = await tokenRequest(broker, byPassword)
  const body = (await response.json()) as TokenBody
  expect(claimsOf(body.id_token)).toMatchObject({ email: user.email, sub: 'Cg4xNTg0MTE4NTY0MTc4NBIFbG9jYWw' })
  expect(
    (await tokenRequest(broker, { grant_type: 'refresh_token', refresh_token: body.refresh_token ?? '' })).status,
  ).toBe(200)
})

test('the password grant refuses a wrong password, a missing scope, and guessing', async () => {
  const { broker } = await openWorld(passwordGrant)
  const wrong = await tokenRequest(broker, { ...byPassword, password: 'wrong' })
  expect([wrong.status, await wrong.json()]).toEqual([
    401,
    { error: 'access_denied', error_description: 'Invalid username or password' },
  ])
  const scope = await tokenRequest(broker, { ...byPassword, scope: 'email' })
  expect([scope.status, await scope.json()]).toEqual([
    400,
    { error: 'invalid_request', error_description: 'Missing required scope(s) ["openid"].' },
  ])
  const statuses: number[] = []
  for (let attempt = 0; attempt < 10; attempt += 1) {
    statuses.push((await tokenRequest(broker, { ...byPassword, password: 'wrong' })).status)
  }
  expect(statuses.at(-1)).toBe(429)
})

test('userinfo refuses no token, a foreign one, an expired one and one with another algorithm', async () => {
  const { broker, clock } = await openWorld()
  const browser = openBrowser(broker)
  const { access_token, id_token } = await redeem(broker, await signIn(browser))
  const ask = (token: string) => browser.get('/dex/userinfo', { authorization: `Bearer ${token}` })
  const missing = await browser.get('/dex/userinfo')
  expect([missing.status, missing.headers.get('www-authenticate')]).toEqual([401, 'Bearer'])
  expect((await ask(id_token)).status).toBe(200)
  const [, payload = '', signature = ''] = access_token.split('.')
  const none = Buffer.from('{"alg":"none"}').toString('base64url')
  const hs256 = Buffer.from('{"alg":"HS256"}').toString('base64url')
  const { broker: stranger } = await openWorld()
  const foreign = (await redeem(stranger, await signIn(openBrowser(stranger)))).access_token
  for (const token of ['x', `${none}.${payload}.`, `${hs256}.${payload}.${signature}`, foreign, `${access_token}A`]) {
    expect((await ask(token)).status, token.slice(0, 20)).toBe(403)
  }
  clock.advance(25 * 3_600_000)
  expect((await ask(access_token)).status).toBe(403)
})

test('introspection tells the holder of a token what it is', async () => {
  const { broker, clock } = await openWorld({ expiry: { refreshTokens: { absoluteLifetime: '100h' } } })
  const tokens = await redeem(broker, await signIn(openBrowser(broker)))
  const ask = async (form: Record<string, string>) => {
    const response = await broker.fetch(
      new Request(`${issuer}/token/introspect`, { method: 'POST', body: new URLSearchParams(form) }),
    )
    return { status: response.status, body: (await response.json()) as Record<string, unknown> }
  }
  const now = clock.now() / 1000
  expect((await ask({ token: tokens.access_token })).body).toEqual({
    active: true,
    client_id: proxyClient.id,
    sub: 'Cg4xNTg0MTE4NTY0MTc4NBIFbG9jYWw',
    exp: now + 86_400,
    iat: now,
    nbf: now,
    username: 'user1',
    aud: proxyClient.id,
    iss: issuer,
    ext: {
      email: user.email,
      email_verified: true,
      groups: user.groups,
      name: user.name,
      preferred_username: 'user1',
    },
    token_type: 'Bearer',
    token_use: 'access_token',
  })
  expect((await ask({ token: tokens.refresh_token ?? '' })).body).toMatchObject({
    active: true,
    token_use: 'refresh_token',
    exp: now + 360_000,
  })
  expect(await ask({ token: 'x' })).toEqual({ status: 200, body: { active: false } })
  expect((await ask({})).body['error_description']).toBe('The POST body can not be empty.')
  expect((await ask({ other: 'x' })).body['error_description']).toBe("The POST body doesn't contain 'token' parameter.")
})
