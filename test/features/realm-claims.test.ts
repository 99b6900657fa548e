import { createHash } from 'node:crypto'
import { expect, test } from 'vitest'
import { claimsOf, postToken, realmWorld, redeem, signIn, smallRealm, type Tokens } from './realm-world.ts'

const uuid = '[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}'

test('an access token says exactly what Keycloak’s says, in its order', async () => {
  const world = await realmWorld()
  const redirect = await signIn(world, world.browser(), { nonce: 'n1' })
  world.clock.advance(6_000)
  const tokens = await redeem(world, redirect)
  const claims = claimsOf(tokens.access_token)
  const now = world.clock.now() / 1000
  expect(Object.entries(claims)).toEqual(
    Object.entries({
      exp: now + 300,
      iat: now,
      auth_time: now - 6,
      jti: expect.stringMatching(new RegExp(`^onrtac:${uuid}$`)),
      iss: world.issuer,
      aud: 'account',
      sub: '11111111-1111-4111-8111-111111111111',
      typ: 'Bearer',
      azp: 'app',
      sid: tokens['session_state'],
      acr: '1',
      'allowed-origins': ['https://app.example.com'],
      realm_access: { roles: ['default-roles-kubeflow', 'offline_access', 'uma_authorization'] },
      resource_access: { account: { roles: ['manage-account', 'manage-account-links', 'view-profile'] } },
      scope: 'openid profile email',
      email_verified: true,
      name: 'Ada Lovelace',
      preferred_username: 'ada',
      given_name: 'Ada',
      family_name: 'Lovelace',
      email: 'ada@example.com',
    }),
  )
  expect(headerOf(tokens.access_token)).toEqual({ alg: 'RS256', typ: 'JWT', kid: expect.any(String) })
})

test('an ID token has neither roles nor origins, but nonce and at_hash', async () => {
  const world = await realmWorld()
  const tokens = await redeem(world, await signIn(world, world.browser(), { nonce: 'n1' }))
  const now = world.clock.now() / 1000
  const digest = createHash('sha256').update(tokens.access_token).digest()
  expect(Object.entries(claimsOf(tokens.id_token))).toEqual(
    Object.entries({
      exp: now + 300,
      iat: now,
      auth_time: now,
      jti: expect.stringMatching(new RegExp(`^${uuid}$`)),
      iss: world.issuer,
      aud: 'app',
      sub: '11111111-1111-4111-8111-111111111111',
      typ: 'ID',
      azp: 'app',
      nonce: 'n1',
      sid: tokens['session_state'],
      at_hash: digest.subarray(0, 16).toString('base64url'),
      acr: '1',
      email_verified: true,
      name: 'Ada Lovelace',
      preferred_username: 'ada',
      given_name: 'Ada',
      family_name: 'Lovelace',
      email: 'ada@example.com',
    }),
  )
})

test('a refresh token can be read by its client and carries the whole scope', async () => {
  const world = await realmWorld()
  const tokens = await redeem(world, await signIn(world, world.browser()))
  const now = world.clock.now() / 1000
  expect(Object.entries(claimsOf(tokens.refresh_token))).toEqual(
    Object.entries({
      exp: now + 1800,
      iat: now,
      jti: expect.stringMatching(new RegExp(`^${uuid}$`)),
      iss: world.issuer,
      aud: world.issuer,
      sub: '11111111-1111-4111-8111-111111111111',
      typ: 'Refresh',
      azp: 'app',
      sid: tokens['session_state'],
      scope: 'openid profile email roles web-origins acr basic service_account',
      prov: 'default',
      aud_x: 'account',
    }),
  )
  expect(headerOf(tokens.refresh_token)).toEqual({ alg: 'HS512', typ: 'JWT', kid: expect.any(String) })
})

test('empty claims are absent', async () => {
  const world = await realmWorld({
    realm: { ...smallRealm, users: [{ username: 'bare', realmRoles: [], credentials: [{ value: 'pw' }] }] },
  })
  const redirect = await signIn(world, world.browser(), {
    username: 'bare',
    password: 'pw',
    client_id: 'spa',
    redirect_uri: undefined,
  })
  const form = { grant_type: 'authorization_code', client_id: 'spa', code: redirect.searchParams.get('code') ?? '' }
  const tokens = (await (await postToken(world, form, {})).json()) as Tokens
  const names = ['exp', 'iat', 'auth_time', 'jti', 'iss', 'sub', 'typ', 'azp', 'sid', 'acr', 'scope', 'email_verified']
  expect(Object.keys(claimsOf(tokens.access_token))).toEqual([...names, 'preferred_username'])
})

test('acr tells whether the user signed in for this client or the session’s cookie did', async () => {
  const world = await realmWorld()
  const browser = world.browser()
  const first = await redeem(world, await signIn(world, browser))
  const silent = await browser.fetch(
    `${world.oidc}/auth?response_type=code&client_id=app&redirect_uri=https://app.example.com/callback`,
  )
  world.clock.advance(5_000)
  const second = await redeem(world, new URL(silent.headers.get('location') ?? ''))
  const [one, two] = [claimsOf(first.access_token), claimsOf(second.access_token)]
  expect([one['acr'], two['acr']]).toEqual(['1', '0'])
  expect([two['sid'], two['auth_time']]).toEqual([one['sid'], one['auth_time']])
})

test('auth_time is the browser login’s: it outlives a refresh and the password grant has none', async () => {
  const world = await realmWorld()
  const tokens = await redeem(world, await signIn(world, world.browser()))
  world.clock.advance(100_000)
  const refreshed = await tokenOf(world, { grant_type: 'refresh_token', refresh_token: tokens.refresh_token })
  const claims = claimsOf(refreshed.access_token)
  expect(claims['auth_time']).toBe(claimsOf(tokens.access_token)['auth_time'])
  expect(claims['jti']).toMatch(/^onrtrt:/)
  const direct = claimsOf((await tokenOf(world, passwordGrant)).access_token)
  expect([direct['auth_time'], String(direct['jti']).slice(0, 7), direct['acr']]).toEqual([undefined, 'onrtro:', '1'])
})

test('a service account’s token has no session and tells where the client is', async () => {
  const world = await realmWorld()
  const { access_token } = await tokenOf(world, { grant_type: 'client_credentials' })
  const claims = claimsOf(access_token)
  const head = [
    'exp',
    'iat',
    'jti',
    'iss',
    'aud',
    'sub',
    'typ',
    'azp',
    'acr',
    'allowed-origins',
    'realm_access',
    'resource_access',
  ]
  expect(Object.keys(claims)).toEqual([
    ...[...head, 'scope', 'clientHost', 'email_verified', 'preferred_username', 'clientAddress', 'client_id'],
  ])
  expect(claims).toMatchObject({
    preferred_username: 'service-account-app',
    client_id: 'app',
    clientHost: '192.0.2.1',
    clientAddress: '192.0.2.1',
    scope: 'profile email',
    aud: 'account',
  })
})

test('aud names the clients the user has roles of, but not the one the token is for', async () => {
  const users = [{ username: 'eve', credentials: [{ value: 'pw' }], clientRoles: { app: ['editor'], spa: ['viewer'] } }]
  const roles = { client: { app: [{ name: 'editor' }], spa: [{ name: 'viewer' }] } }
  const world = await realmWorld({ realm: { ...smallRealm, users, roles } })
  const claims = claimsOf((await tokenOf(world, { ...passwordGrant, username: 'eve', password: 'pw' })).access_token)
  expect(claims['aud']).toEqual(['account', 'spa'])
  expect(claims['resource_access']).toMatchObject({ app: { roles: ['editor'] }, spa: { roles: ['viewer'] } })
})

test('a lightweight token says little, and its ID token as much as ever', async () => {
  const attributes = { 'client.use.lightweight.access.token.enabled': 'true' }
  const clients = [{ ...smallRealm.clients[0], attributes }]
  const world = await realmWorld({ realm: { ...smallRealm, clients } })
  const tokens = await redeem(world, await signIn(world, world.browser()))
  expect(Object.keys(claimsOf(tokens.access_token))).toEqual(['exp', 'iat', 'jti', 'iss', 'typ', 'azp', 'sid', 'scope'])
  expect(claimsOf(tokens.access_token)['jti']).toMatch(/^onltac:/)
  expect(Object.keys(claimsOf(tokens.refresh_token))).not.toContain('aud_x')
  expect(claimsOf(tokens.id_token)).toMatchObject({ preferred_username: 'ada', auth_time: world.clock.now() / 1000 })
})

test('groups come as full paths when the scope groups is asked for, and not otherwise', async () => {
  const world = await realmWorld()
  const asked = await redeem(world, await signIn(world, world.browser(), { scope: 'openid groups' }))
  expect(claimsOf(asked.id_token)['groups']).toEqual(['/admins', '/team/sub'])
  expect(claimsOf(asked.access_token)).toMatchObject({
    groups: ['/admins', '/team/sub'],
    scope: 'openid profile email groups',
  })
  const plain = await redeem(world, await signIn(world, world.browser()))
  expect(claimsOf(plain.access_token)).not.toHaveProperty('groups')
})

test('roles come from groups, their ancestors and composites; full scope can be taken away', async () => {
  const realm = {
    ...smallRealm,
    groups: [
      { name: 'team', realmRoles: ['member'], subGroups: [{ name: 'sub', clientRoles: { app: ['editor'] } }] },
      { name: 'admins' },
    ],
    roles: {
      realm: [{ name: 'member', composites: { realm: ['reader'] } }, { name: 'reader' }],
      client: { app: [{ name: 'editor' }] },
    },
  }
  const world = await realmWorld({ realm })
  const all = claimsOf((await tokenOf(world, passwordGrant)).access_token)
  expect(all['realm_access']).toMatchObject({ roles: expect.arrayContaining(['member', 'reader']) })
  expect(all['resource_access']).toMatchObject({ app: { roles: ['editor'] } })

  const clients = [{ ...smallRealm.clients[0], fullScopeAllowed: false }]
  const narrow = await realmWorld({
    realm: { ...realm, clients, scopeMappings: [{ client: 'app', roles: ['reader'] }] },
  })
  const some = claimsOf((await tokenOf(narrow, passwordGrant)).access_token)
  expect([some['realm_access'], some['resource_access'], some['aud']]).toEqual([
    { roles: ['reader'] },
    { app: { roles: ['editor'] } },
    undefined,
  ])
})

test('a client’s own mappers shape its tokens', async () => {
  const mapper = (protocolMapper: string, config: Record<string, string>) => ({
    name: protocolMapper,
    protocolMapper,
    config: { 'access.token.claim': 'true', ...config },
  })
  const protocolMappers = [
    mapper('oidc-group-membership-mapper', { 'claim.name': 'teams', 'full.path': 'false' }),
    mapper('oidc-audience-mapper', { 'included.custom.audience': 'https://api.example.com' }),
    mapper('oidc-hardcoded-claim-mapper', { 'claim.name': 'tenant.id', 'claim.value': '7', 'jsonType.label': 'long' }),
    mapper('oidc-hardcoded-claim-mapper', {
      'claim.name': 'https://example\\.com/raw',
      'claim.value': '{"a":[1]}',
      'jsonType.label': 'JSON',
    }),
    mapper('oidc-usermodel-attribute-mapper', {
      'claim.name': 'cost',
      'user.attribute': 'costCenter',
      multivalued: 'true',
    }),
    mapper('oidc-usermodel-attribute-mapper', { 'claim.name': 'site', 'user.attribute': 'site' }),
    mapper('oidc-usermodel-property-mapper', { 'claim.name': 'login', 'user.attribute': 'username' }),
    mapper('oidc-hardcoded-role-mapper', { role: 'app.guest' }),
    mapper('oidc-role-name-mapper', { role: 'pk-user', 'new.role.name': 'user' }),
    mapper('oidc-usermodel-realm-role-mapper', {
      'claim.name': 'roles',
      multivalued: 'true',
      'usermodel.realmRoleMapping.rolePrefix': 'r:',
    }),
    mapper('oidc-hardcoded-claim-mapper', { 'claim.name': '__proto__.polluted', 'claim.value': 'yes' }),
  ]
  const groups = [{ name: 'team', attributes: { site: ['berlin'] }, subGroups: [{ name: 'sub' }] }, { name: 'admins' }]
  const users = [{ ...smallRealm.users[0], attributes: { costCenter: ['a', 'b'] }, realmRoles: ['pk-user'] }]
  const world = await realmWorld({
    realm: { ...smallRealm, groups, users, clients: [{ ...smallRealm.clients[0], protocolMappers }] },
  })
  const claims = claimsOf((await tokenOf(world, passwordGrant)).access_token)
  expect(claims).toMatchObject({
    teams: ['admins', 'sub'],
    aud: 'https://api.example.com',
    tenant: { id: 7 },
    'https://example.com/raw': { a: [1] },
    cost: ['a', 'b'],
    site: 'berlin',
    login: 'ada',
    resource_access: { app: { roles: ['guest'] } },
    realm_access: { roles: ['user'] },
    roles: ['r:user'],
  })
  expect(({} as Record<string, unknown>)['polluted']).toBeUndefined()
})

test('optional scopes bring address, phone and MicroProfile’s claims', async () => {
  const attributes = { street: ['1 Main St'], country: ['DE'], phoneNumber: ['+49 1'], phoneNumberVerified: ['true'] }
  const users = [{ ...smallRealm.users[0], attributes }]
  const world = await realmWorld({ realm: { ...smallRealm, users } })
  const scope = 'openid address phone microprofile-jwt'
  const claims = claimsOf((await tokenOf(world, { ...passwordGrant, scope })).access_token)
  expect(claims).toMatchObject({
    address: { street_address: '1 Main St', country: 'DE' },
    phone_number: '+49 1',
    phone_number_verified: true,
    upn: 'ada',
    groups: ['default-roles-kubeflow', 'offline_access', 'uma_authorization'],
  })
})

const passwordGrant = { grant_type: 'password', username: 'ada', password: 'correct horse' }

async function tokenOf(world: Awaited<ReturnType<typeof realmWorld>>, form: Record<string, string>): Promise<Tokens> {
  const response = await postToken(world, form)
  expect(response.status).toBe(200)
  return (await response.json()) as Tokens
}

function headerOf(token: string): unknown {
  return JSON.parse(Buffer.from(token.split('.')[0] ?? '', 'base64url').toString())
}
