import { createHash } from 'node:crypto'
import { expect, test } from 'vitest'
import {
  claimsOf,
  postToken,
  type RealmWorld,
  realmWorld,
  redeem,
  signIn,
  smallRealm,
  type Tokens,
} from './realm-world.ts'

const basic = (id: string, secret: string) => ({
  authorization: `Basic ${Buffer.from(`${id}:${secret}`).toString('base64')}`,
})
const invalid = 'Invalid client or Invalid client credentials'

async function refusal(response: Response | Promise<Response>): Promise<[number, string, string]> {
  const { status } = await response
  const body = (await (await response).json()) as { error: string; error_description: string }
  return [status, body.error, body.error_description]
}

async function newCode(world: RealmWorld, parameters: Record<string, string> = {}): Promise<string> {
  return (await signIn(world, world.browser(), parameters)).searchParams.get('code') ?? ''
}

const callback = 'https://app.example.com/callback'
const verifier = 'dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk'
const S256 = {
  code_challenge: createHash('sha256').update(verifier).digest('base64url'),
  code_challenge_method: 'S256',
}

const beforeTheGrant: readonly [string, Record<string, string>, Record<string, string>, [number, string, string]][] = [
  ['no grant_type', { zz: '1' }, {}, [400, 'invalid_request', 'Missing form parameter: grant_type']],
  [
    'an unknown grant_type, before the client',
    { grant_type: 'x' },
    {},
    [400, 'unsupported_grant_type', 'Unsupported grant_type'],
  ],
  [
    'a grant_type that every object has',
    { grant_type: 'constructor' },
    {},
    [400, 'unsupported_grant_type', 'Unsupported grant_type'],
  ],
  ['no client', { grant_type: 'password' }, {}, [401, 'invalid_client', invalid]],
  ['an unknown client', { grant_type: 'password' }, basic('nobody', 'x'), [401, 'invalid_client', invalid]],
  ['a wrong secret', { grant_type: 'password' }, basic('app', 'wrong'), [401, 'unauthorized_client', invalid]],
  ['no secret', { grant_type: 'password', client_id: 'app' }, {}, [401, 'unauthorized_client', invalid]],
  [
    'an empty secret',
    { grant_type: 'password', client_id: 'app', client_secret: '' },
    {},
    [401, 'unauthorized_client', invalid],
  ],
]

test.each(beforeTheGrant)('%s is refused', async (_name, form, headers, expected) => {
  const world = await realmWorld()
  expect(await refusal(postToken(world, form, headers))).toEqual(expected)
})

test('a field sent twice is refused after the client has proved who it is', async () => {
  const world = await realmWorld()
  const twice = (extra: string) => new URLSearchParams(`grant_type=password&username=ada&password=x&zz=1&zz=2${extra}`)
  const post = (extra: string, headers = {}) => world.browser().post(`${world.oidc}/token`, twice(extra), headers)
  expect(await refusal(post('', basic('app', 'app-secret')))).toEqual([400, 'invalid_request', 'duplicated parameter'])
  expect((await post('', basic('app', 'wrong'))).status).toBe(401)
})

test('errors are JSON that no cache keeps', async () => {
  const world = await realmWorld()
  const { headers } = await postToken(world, {})
  expect(headers.get('content-type')).toMatch(/^application\/json/)
  expect([headers.get('cache-control'), headers.get('pragma')]).toEqual(['no-store', 'no-cache'])
})

test('a code is answered in Keycloak’s order of keys', async () => {
  const world = await realmWorld()
  const redirect = await signIn(world, world.browser())
  const response = await postToken(world, {
    grant_type: 'authorization_code',
    code: redirect.searchParams.get('code') ?? '',
    redirect_uri: callback,
  })
  expect([response.headers.get('cache-control'), response.headers.get('pragma')]).toEqual(['no-store', 'no-cache'])
  const body = (await response.json()) as Tokens
  expect(Object.keys(body)).toEqual([
    'access_token',
    'expires_in',
    'refresh_expires_in',
    'refresh_token',
    'token_type',
    'id_token',
    'not-before-policy',
    'session_state',
    'scope',
  ])
  expect(body).toMatchObject({
    expires_in: 300,
    refresh_expires_in: 1800,
    token_type: 'Bearer',
    scope: 'openid profile email',
  })
  expect(body['session_state']).toBe(redirect.searchParams.get('session_state'))
})

test('without the scope openid there is no ID token', async () => {
  const world = await realmWorld()
  const tokens = await redeem(world, await signIn(world, world.browser(), { scope: undefined }))
  expect(tokens['id_token']).toBeUndefined()
  expect(tokens['scope']).toBe('profile email')
})

const codeFaults: readonly [string, Record<string, string>, Record<string, string | undefined>, string][] = [
  ['another redirect URI', {}, { redirect_uri: 'https://app.example.com/other/x' }, 'Incorrect redirect_uri'],
  ['no redirect URI', {}, { redirect_uri: undefined }, 'Incorrect redirect_uri'],
  ['no verifier', S256, {}, 'PKCE code verifier not specified'],
  ['an empty verifier', S256, { code_verifier: '' }, 'PKCE verification failed: Invalid code verifier'],
  ['a malformed verifier', S256, { code_verifier: '!'.repeat(43) }, 'PKCE verification failed: Invalid code verifier'],
  ['another verifier', S256, { code_verifier: 'a'.repeat(128) }, 'PKCE verification failed: Code mismatch'],
  [
    'a verifier without challenge',
    {},
    { code_verifier: verifier },
    'PKCE code verifier specified but challenge not present in authorization',
  ],
]

test.each(codeFaults)('a code with %s is refused and spent', async (_name, request, form, description) => {
  const world = await realmWorld()
  const code = await newCode(world, request)
  const right = { grant_type: 'authorization_code', code, redirect_uri: callback }
  expect(await refusal(postToken(world, { ...right, ...form }))).toEqual([400, 'invalid_grant', description])
  const again = { ...right, ...(request === S256 ? { code_verifier: verifier } : {}) }
  expect(await refusal(postToken(world, again))).toEqual([400, 'invalid_grant', 'Code not valid'])
})

test('a code is bound to its client, and the redirect URI is looked at first', async () => {
  const world = await realmWorld()
  const form = { grant_type: 'authorization_code', client_id: 'spa', redirect_uri: callback }
  const other = 'Auth error: Found different client_id in clientSession'
  const asSpa = async (more: object) => postToken(world, { ...form, code: await newCode(world), ...more }, {})
  expect(await refusal(asSpa({}))).toEqual([400, 'invalid_grant', other])
  expect(await refusal(asSpa({ redirect_uri: 'https://x.example' }))).toEqual([
    400,
    'invalid_grant',
    'Incorrect redirect_uri',
  ])
})

test('an absent code is missing, an empty or unknown or expired one is not valid', async () => {
  const world = await realmWorld()
  const post = (code: string | undefined) =>
    refusal(postToken(world, { grant_type: 'authorization_code', code, redirect_uri: callback }))
  expect(await post(undefined)).toEqual([400, 'invalid_request', 'Missing parameter: code'])
  expect(await post('')).toEqual([400, 'invalid_grant', 'Code not valid'])
  expect(await post('a.b.c')).toEqual([400, 'invalid_grant', 'Code not valid'])
  const code = await newCode(world)
  world.clock.advance(60_000)
  expect(await post(code)).toEqual([400, 'invalid_grant', 'Code not valid'])
})

test('a client that fails to prove itself does not spend the code', async () => {
  const world = await realmWorld()
  const form = { grant_type: 'authorization_code', code: await newCode(world), redirect_uri: callback }
  expect((await postToken(world, form, basic('app', 'wrong'))).status).toBe(401)
  expect((await postToken(world, form)).status).toBe(200)
})

test.each([
  ['S256', S256],
  ['plain', { code_challenge: verifier }],
])('a verifier answers its %s challenge', async (_name, request) => {
  const world = await realmWorld()
  const code = await newCode(world, request)
  const form = { grant_type: 'authorization_code', code, redirect_uri: callback, code_verifier: verifier }
  expect((await postToken(world, form)).status).toBe(200)
})

test('credentials in Basic are form-decoded, and may be sent in the form instead', async () => {
  const clients = [{ clientId: 'a:b c', secret: 'p%+/ä', serviceAccountsEnabled: true }]
  const world = await realmWorld({ realm: { ...smallRealm, clients } })
  const encode = (text: string) => new URLSearchParams({ x: text }).toString().slice(2)
  const form = { grant_type: 'client_credentials' }
  expect((await postToken(world, form, basic(encode('a:b c'), encode('p%+/ä')))).status).toBe(200)
  expect((await postToken(world, { ...form, client_id: 'a:b c', client_secret: 'p%+/ä' }, {})).status).toBe(200)
})

test('the password grant signs a user in, and says no in Keycloak’s words', async () => {
  const users = [
    ...smallRealm.users,
    { username: 'off', enabled: false, credentials: [{ value: 'pw' }] },
    { username: 'new', credentials: [{ value: 'pw', temporary: true }] },
  ]
  const world = await realmWorld({ realm: { ...smallRealm, users } })
  const grant = (username: string, password: string, more = {}) =>
    postToken(world, { grant_type: 'password', username, password, ...more })
  const body = (await (await grant('ADA@example.com', 'correct horse', { scope: 'openid' })).json()) as Tokens
  expect(claimsOf(body.access_token)).toMatchObject({ preferred_username: 'ada', azp: 'app' })
  expect(await refusal(grant('ada', 'wrong'))).toEqual([400, 'invalid_grant', 'Invalid user credentials'])
  expect(await refusal(grant('nobody', 'pw'))).toEqual([400, 'invalid_grant', 'Invalid user credentials'])
  expect(await refusal(grant('off', 'wrong'))).toEqual([400, 'invalid_grant', 'Invalid user credentials'])
  expect(await refusal(grant('off', 'pw'))).toEqual([400, 'invalid_grant', 'Account disabled'])
  expect(await refusal(grant('new', 'pw'))).toEqual([400, 'invalid_grant', 'Account is not fully set up'])
  expect(await refusal(grant('service-account-app', 'pw'))).toEqual([400, 'invalid_grant', 'Invalid user credentials'])
  expect(await refusal(grant('ada', 'correct horse', { scope: 'nosuch' }))).toEqual([
    400,
    'invalid_scope',
    'Invalid scopes: nosuch',
  ])
  const spa = postToken(world, { grant_type: 'password', client_id: 'spa', username: 'ada', password: 'x' }, {})
  expect(await refusal(spa)).toEqual([400, 'unauthorized_client', 'Client not allowed for direct access grants'])
})

test('a client acts for itself only where it has a service account', async () => {
  const clients = [...smallRealm.clients, { clientId: 'plain', secret: 's' }]
  const world = await realmWorld({ realm: { ...smallRealm, clients } })
  const response = await postToken(world, { grant_type: 'client_credentials' })
  const body = (await response.json()) as Tokens
  expect(Object.keys(body)).toEqual([
    'access_token',
    'expires_in',
    'refresh_expires_in',
    'token_type',
    'not-before-policy',
    'scope',
  ])
  expect(body['refresh_expires_in']).toBe(0)
  const refused = postToken(world, { grant_type: 'client_credentials' }, basic('plain', 's'))
  expect(await refusal(refused)).toEqual([401, 'unauthorized_client', 'Client not enabled to retrieve service account'])
})

test('a bearer-only client gets no tokens', async () => {
  const clients = [{ clientId: 'api', secret: 's', bearerOnly: true, serviceAccountsEnabled: true }]
  const world = await realmWorld({ realm: { ...smallRealm, clients } })
  const refused = postToken(world, { grant_type: 'client_credentials' }, basic('api', 's'))
  expect(await refusal(refused)).toEqual([400, 'invalid_client', 'Bearer-only not allowed'])
})
