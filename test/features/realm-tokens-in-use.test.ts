import { createHmac, createPublicKey, generateKeyPairSync, sign } from 'node:crypto'
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

const secret = { client_id: 'app', client_secret: 'app-secret' }
const withApi = {
  ...smallRealm,
  users: [{ ...smallRealm.users[0], realmRoles: ['pk-user'], clientRoles: { api: ['reader'] } }],
  roles: { ...smallRealm.roles, client: { api: [{ name: 'reader' }] } },
  clients: [...smallRealm.clients, { clientId: 'api', secret: 'api-secret' }],
}

const bearer = (world: RealmWorld, token: string) =>
  world.browser().fetch(`${world.oidc}/userinfo`, { headers: { authorization: `Bearer ${token}` } })

test('userinfo answers GET and POST, with the token in the header or the form', async () => {
  const world = await realmWorld()
  const { access_token } = await redeem(world, await signIn(world, world.browser(), { scope: 'openid groups' }))
  const get = await bearer(world, access_token)
  const headers = { authorization: `bearer ${access_token}` }
  const post = await world.browser().post(`${world.oidc}/userinfo`, {}, headers)
  const form = await world.browser().post(`${world.oidc}/userinfo`, { access_token })
  const texts = [await get.text(), await post.text(), await form.text()]
  expect(new Set(texts).size).toBe(1)
  expect(Object.keys(JSON.parse(texts[0] ?? '') as object)).toEqual([
    ...['sub', 'email_verified', 'name', 'groups', 'preferred_username', 'given_name', 'family_name', 'email'],
  ])
})

test('userinfo refuses with an empty body and says why in its challenge', async () => {
  const world = await realmWorld()
  const tokens = await redeem(world, await signIn(world, world.browser()))
  const plain = await redeem(world, await signIn(world, world.browser(), { scope: undefined }))
  const other = await realmWorld({ realm: { ...smallRealm, realm: 'other' } })
  const foreign = await redeem(other, await signIn(other, other.browser()))
  const invalid = 'Bearer realm="kubeflow", error="invalid_token", error_description="Token verification failed"'
  const cases: readonly [string | undefined, number, string][] = [
    [undefined, 401, 'Bearer realm="kubeflow"'],
    ['garbage', 401, invalid],
    [tokens.id_token, 401, invalid],
    [tokens.refresh_token, 401, invalid],
    [foreign.access_token, 401, invalid],
    [
      plain.access_token,
      403,
      'Bearer realm="kubeflow", error="insufficient_scope", error_description="Missing openid scope"',
    ],
  ]
  for (const [token, status, challenge] of cases) {
    const answer = await world
      .browser()
      .fetch(`${world.oidc}/userinfo`, token === undefined ? {} : { headers: { authorization: `Bearer ${token}` } })
    expect([answer.status, answer.headers.get('www-authenticate'), await answer.text()]).toEqual([
      status,
      challenge,
      '',
    ])
    expect(answer.headers.get('content-type')).toBe('text/plain;charset=utf-8')
  }
  world.clock.advance(300_000)
  expect((await bearer(world, tokens.access_token)).headers.get('www-authenticate')).toBe(invalid)
})

test('userinfo refuses a lightweight token', async () => {
  const attributes = { 'client.use.lightweight.access.token.enabled': 'true' }
  const world = await realmWorld({ realm: { ...smallRealm, clients: [{ ...smallRealm.clients[0], attributes }] } })
  const tokens = await redeem(world, await signIn(world, world.browser()))
  const answer = await bearer(world, tokens.access_token)
  expect(answer.headers.get('www-authenticate')).toContain('Lightweight access token not allowed for userinfo endpoint')
})

test('introspection tells a client about tokens meant for it, with what is true now', async () => {
  const world = await realmWorld({ realm: withApi })
  const tokens = await redeem(world, await signIn(world, world.browser()))
  const introspect = async (token: string, client = { client_id: 'api', client_secret: 'api-secret' }) =>
    (await (await world.browser().post(`${world.oidc}/token/introspect`, { token, ...client })).json()) as Record<
      string,
      unknown
    >

  const access = await introspect(tokens.access_token)
  expect(Object.keys(access)).toEqual([
    ...['exp', 'iat', 'auth_time', 'jti', 'iss', 'aud', 'sub', 'typ', 'azp', 'sid', 'acr', 'allowed-origins'],
    ...['realm_access', 'resource_access', 'scope', 'email_verified', 'name', 'preferred_username', 'given_name'],
    ...['family_name', 'email', 'client_id', 'username', 'token_type', 'active'],
  ])
  expect(access).toMatchObject({
    ...claimsOf(tokens.access_token),
    client_id: 'app',
    username: 'ada',
    token_type: 'Bearer',
    active: true,
  })
  expect(await introspect(tokens.access_token, secret)).toEqual({ active: false })

  const refresh = await introspect(tokens.refresh_token, secret)
  expect(refresh).toMatchObject({
    typ: 'Refresh',
    token_type: 'Refresh',
    realm_access: { roles: ['pk-user'] },
    active: true,
  })
  expect(refresh['aud']).toEqual(['api', world.issuer])
  expect(await introspect(tokens.refresh_token)).toEqual({ active: false })
  expect(await introspect('garbage')).toEqual({ active: false })

  await world.browser().post(`${world.oidc}/logout`, { ...secret, refresh_token: tokens.refresh_token })
  expect(await introspect(tokens.access_token)).toEqual({ active: false })
})

test('introspection is for confidential clients', async () => {
  const world = await realmWorld()
  const post = async (form: Record<string, string>) => {
    const answer = await world.browser().post(`${world.oidc}/token/introspect`, form)
    return [answer.status, await answer.json()]
  }
  expect(await post({ client_id: 'spa', token: 'x' })).toEqual([
    403,
    { error: 'invalid_request', error_description: 'Client not allowed.' },
  ])
  const refusal = 'Invalid client or Invalid client credentials'
  expect(await post({ token: 'x' })).toEqual([401, { error: 'invalid_client', error_description: refusal }])
  expect(await post(secret)).toEqual([400, { error: 'invalid_request', error_description: 'Token not provided.' }])
})

test('a revoked access token dies alone, a revoked refresh token takes the client’s session with it', async () => {
  const world = await realmWorld()
  const tokens = await redeem(world, await signIn(world, world.browser()))
  const revoke = async (token: string, client: Record<string, string> = secret) => {
    const answer = await world.browser().post(`${world.oidc}/revoke`, { ...client, token })
    return [answer.status, await answer.text()]
  }
  const refresh = () => postToken(world, { grant_type: 'refresh_token', refresh_token: tokens.refresh_token })

  expect(await revoke('unknown')).toEqual([200, '{"error":"invalid_token","error_description":"Invalid token"}'])
  expect(await revoke(tokens.access_token, { client_id: 'spa' })).toEqual([
    400,
    '{"error":"invalid_client","error_description":"Unmatching clients"}',
  ])
  expect((await bearer(world, tokens.access_token)).status).toBe(200)
  expect(await revoke(tokens.access_token)).toEqual([200, ''])
  expect((await bearer(world, tokens.access_token)).status).toBe(401)
  const next = (await (await refresh()).json()) as Tokens
  expect((await bearer(world, next.access_token)).status).toBe(200)
  expect(await revoke(tokens.refresh_token)).toEqual([200, ''])
  expect((await bearer(world, next.access_token)).status).toBe(401)
  expect((await refresh()).status).toBe(400)
  expect((await revoke('x', { client_id: 'app', client_secret: 'wrong' }))[0]).toBe(401)
})

test('forged access tokens are nobody’s, whatever their header claims', async () => {
  const world = await realmWorld()
  const { access_token } = await redeem(world, await signIn(world, world.browser()))
  const [header = '', claims = ''] = access_token.split('.')
  const { kid } = JSON.parse(Buffer.from(header, 'base64url').toString()) as { kid: string }
  const { keys } = (await (await world.browser().fetch(`${world.oidc}/certs`)).json()) as { keys: object[] }
  const published = createPublicKey({ key: keys[0] as never, format: 'jwk' }).export({ format: 'pem', type: 'spki' })
  const own = generateKeyPairSync('rsa', { modulusLength: 2048 })
  const jwk = own.publicKey.export({ format: 'jwk' })
  const encode = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
  const signed = (head: object) => {
    const input = `${encode(head)}.${claims}`
    return `${input}.${sign('sha256', Buffer.from(input), own.privateKey).toString('base64url')}`
  }
  const confused = `${encode({ alg: 'HS256', kid })}.${claims}`
  const forged = [
    `${encode({ alg: 'none', kid })}.${claims}.`,
    `${encode({ alg: 'None' })}.${claims}.`,
    `${confused}.${createHmac('sha256', published).update(confused).digest('base64url')}`,
    signed({ alg: 'RS256', kid }),
    signed({ alg: 'RS256', kid, jwk }),
    signed({ alg: 'RS256', kid, jku: 'https://evil.example/jwks', x5u: 'https://evil.example/cert' }),
    signed({ alg: 'RS256', kid, crit: ['exp'] }),
    ...['../../etc/passwd', "' or 1=1 --", '__proto__', 'k'.repeat(60_000)].map((odd) =>
      signed({ alg: 'RS256', kid: odd }),
    ),
    `${header}.${encode({ ...claimsOf(access_token), sub: 'root' })}.${access_token.split('.')[2]}`,
  ]
  expect((await bearer(world, access_token)).status).toBe(200)
  for (const token of forged) expect((await bearer(world, token)).status).toBe(401)
})
