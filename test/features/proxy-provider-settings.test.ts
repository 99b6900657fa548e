import { createPublicKey, generateKeyPairSync, verify } from 'node:crypto'
import { mkdtempSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { fetchWithTrust, type Trust } from '../../src/http/fetch-with-trust.ts'
import type { Fetch } from '../../src/http/part.ts'
import { providerOptionsSchema } from '../../src/proxy/alpha/provider-options.ts'
import { allowedGroupsOf } from '../../src/proxy/provider/settle-options.ts'
import { signJwt } from '../../src/tokens/sign.ts'
import { providerWorld } from '../suites/provider-suite.ts'
import { selfSignedCertificate } from '../world/certificate.ts'
import { forBearer, type Route } from '../world/cloud.ts'

const issuer = 'https://id.example'
const redirectUri = 'https://app.example/oauth2/callback'
const oidcConfig = { issuerURL: issuer, skipDiscovery: true, jwksURL: `${issuer}/keys` }
const idClaims = { iss: issuer, aud: 'our-id', sub: 'ada-1', email: 'ada@example.com' }

function oidcWorld(options: Record<string, unknown> = {}, more: Record<string, unknown> = {}) {
  return providerWorld({
    kind: 'oidc',
    tokenUrl: `${issuer}/token`,
    jwksUrl: `${issuer}/keys`,
    idClaims,
    options: { oidcConfig, loginURL: `${issuer}/auth`, redeemURL: `${issuer}/token`, ...options },
    ...more,
  })
}

async function sentBy(options: Record<string, unknown>, wishes = new URLSearchParams()) {
  const { provider, login } = oidcWorld(options)
  const url = await provider.authorizationUrl(login, { state: 's', redirectUri, wishes })
  return Object.fromEntries(new URL(url).searchParams)
}

test('`/oauth2/start` may choose what the login parameters allow, by value or by pattern, and nothing else', async () => {
  const loginURLParameters = [
    { name: 'prompt', default: ['login'], allow: [{ value: 'select_account' }] },
    { name: 'login_hint', allow: [{ pattern: '^[a-z]+@corp\\.example$' }] },
    { name: 'acr_values', default: ['silver'] },
  ]
  expect(await sentBy({ loginURLParameters })).toMatchObject({ prompt: 'login', acr_values: 'silver' })
  const wishes = { prompt: 'select_account', login_hint: 'ada@corp.example', acr_values: 'gold', scope: 'admin' }
  expect(await sentBy({ loginURLParameters }, new URLSearchParams(wishes))).toMatchObject({
    ...{ prompt: 'select_account', login_hint: 'ada@corp.example', acr_values: 'silver' },
    scope: 'openid email profile',
  })
  const bad = new URLSearchParams({ prompt: 'select_account2', login_hint: 'ada@corp.example.evil' })
  expect(await sentBy({ loginURLParameters }, bad)).toMatchObject({ prompt: 'login' })
  expect(await sentBy({ loginURLParameters }, bad)).not.toHaveProperty('login_hint')
})

test('the response mode is asked for, and a login URL keeps its own query', async () => {
  const options = { authRequestResponseMode: 'form_post', loginURL: `${issuer}/auth?tenant=one` }
  expect(await sentBy(options)).toMatchObject({ response_mode: 'form_post', tenant: 'one' })
})

test('PKCE may be `plain`, where a provider can do no better', async () => {
  const { provider, login } = oidcWorld({ code_challenge_method: 'plain' })
  const url = new URL(await provider.authorizationUrl(login, { state: 's', redirectUri }))
  expect(url.searchParams.get('code_challenge')).toBe(login.codeVerifier)
})

test('a token endpoint that takes no Basic credentials is asked a second time once, and never again', async () => {
  const { provider, cloud, login } = oidcWorld()
  const { [`POST ${issuer}/token`]: usual } = cloud.routes
  const seen: string[] = []
  cloud.routes[`POST ${issuer}/token`] = (request, url) => {
    seen.push(request.headers.has('authorization') ? 'basic' : 'post')
    if (request.headers.has('authorization')) return Response.json({ error: 'invalid_client' }, { status: 401 })
    return usual?.(request, url) ?? new Response('', { status: 500 })
  }
  await provider.redeem('good-code', login, redirectUri)
  await provider.redeem('good-code', login, redirectUri)
  expect(seen).toEqual(['basic', 'post', 'post'])
})

test('a code the provider refuses is not tried with other credentials: that would burn it', async () => {
  const { signIn, cloud } = oidcWorld()
  await expect(signIn('bad-code')).rejects.toMatchObject({ code: 'grant_refused' })
  expect(cloud.grants).toHaveLength(1)
})

test('keys may come from PEM files', async () => {
  const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
  const file = join(mkdtempSync(join(tmpdir(), 'keys-')), 'key.pem')
  writeFileSync(file, publicKey.export({ format: 'pem', type: 'spki' }))
  const config = { issuerURL: issuer, skipDiscovery: true, publicKeyFiles: [file] }
  const { provider, clock, cloud } = oidcWorld({ oidcConfig: config })
  const exp = clock.time / 1000 + 60
  const key = { kid: 'any', alg: 'RS256', privateKey }
  expect(await provider.sessionOfBearer(await signJwt({ ...idClaims, exp }, key))).toMatchObject({
    session: { user: 'ada-1' },
  })
  const { privateKey: other } = generateKeyPairSync('rsa', { modulusLength: 2048 })
  const forged = await signJwt({ ...idClaims, exp }, { ...key, privateKey: other })
  expect(await provider.sessionOfBearer(forged)).toEqual({ refused: 'bad-signature' })
  expect(cloud.requests).toEqual([])
})

test('an answer that names another issuer is not this provider’s; one without counts unless it promised to name it', async () => {
  const { provider, login } = oidcWorld()
  expect(await provider.isOwnAnswer(login, issuer)).toBe(true)
  expect(await provider.isOwnAnswer(login, 'https://evil.example')).toBe(false)
  expect(await provider.isOwnAnswer(login, null)).toBe(true)

  const promising = providerWorld({
    kind: 'oidc',
    tokenUrl: `${issuer}/token`,
    options: { oidcConfig: { issuerURL: issuer } },
    routes: {
      [`GET ${issuer}/.well-known/openid-configuration`]: () =>
        Response.json({ issuer, authorization_response_iss_parameter_supported: true }),
    },
  })
  expect(await promising.provider.isOwnAnswer(promising.login, null)).toBe(false)
  expect(await promising.provider.isOwnAnswer(promising.login, issuer)).toBe(true)
})

test('claims beside the usual ones are kept where they are asked for, from the profile, too', async () => {
  const { signIn } = oidcWorld(
    { additionalClaims: ['department', 'team.name', 'none'], profileURL: `${issuer}/userinfo` },
    {
      idClaims: { ...idClaims, department: 'ml' },
      routes: { [`GET ${issuer}/userinfo`]: forBearer({ sub: 'ada-1', team: { name: 'vision' } }) },
    },
  )
  expect((await signIn()).additionalClaims).toEqual({ department: 'ml', 'team.name': 'vision' })
})

test('a profile may be a signed token', async () => {
  const profile: Route = () => new Response('eyJhbGciOiJub25lIn0.eyJzdWIiOiJhZGEtMSIsImdyb3VwcyI6WyJtbCJdfQ.AAAA')
  const { signIn } = oidcWorld(
    { profileURL: `${issuer}/userinfo` },
    { routes: { [`GET ${issuer}/userinfo`]: profile } },
  )
  expect((await signIn()).groups).toEqual(['ml'])
})

test('a profile that cannot be had makes no one else of a user: the refresh waits', async () => {
  const { signIn, provider, cloud } = oidcWorld(
    { profileURL: `${issuer}/userinfo` },
    {
      tokens: { refresh_token: 'good-refresh' },
      routes: { [`GET ${issuer}/userinfo`]: forBearer({ sub: 'ada-1', groups: ['ml'] }) },
    },
  )
  const session = await signIn()
  cloud.routes[`GET ${issuer}/userinfo`] = () => new Response('', { status: 502 })
  await expect(provider.refresh(session)).rejects.toMatchObject({ code: 'provider_unavailable' })
})

test('login.gov: the client proves itself with a signed assertion that names the token endpoint', async () => {
  const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
  const base = 'https://secure.login.gov'
  const { signIn, cloud, clock, provider, login } = providerWorld({
    kind: 'login.gov',
    tokenUrl: `${base}/api/openid_connect/token`,
    jwksUrl: `${base}/certs`,
    idClaims: { iss: `${base}/`, aud: 'our-id', sub: 'ada-1' },
    options: {
      loginGovConfig: { jwtKey: privateKey.export({ format: 'pem', type: 'pkcs8' }), pubjwkURL: `${base}/certs` },
    },
    routes: {
      [`GET ${base}/api/openid_connect/userinfo`]: forBearer({ email: 'ada@example.com', email_verified: true }),
    },
  })
  await signIn()
  const [header = '', claims = '', signature = ''] = (cloud.grants[0]?.get('client_assertion') ?? '').split('.')
  const isGenuine = verify(
    'sha256',
    Buffer.from(`${header}.${claims}`),
    createPublicKey(publicKey.export({ format: 'pem', type: 'spki' })),
    Buffer.from(signature, 'base64url'),
  )
  expect(isGenuine).toBe(true)
  expect(JSON.parse(Buffer.from(claims, 'base64url').toString())).toMatchObject({
    ...{ iss: 'our-id', sub: 'our-id', aud: `${base}/api/openid_connect/token`, exp: clock.time / 1000 + 300 },
  })
  const url = new URL(await provider.authorizationUrl(login, { state: 's', redirectUri }))
  expect(url.searchParams.get('acr_values')).toBe('http://idmanagement.gov/ns/assurance/loa/1')
})

test('which groups are needed is said in each kind’s own words', () => {
  const groupsFor = (options: Record<string, unknown>) =>
    allowedGroupsOf(providerOptionsSchema.parse({ id: 'x', ...options }))
  expect(groupsFor({ provider: 'oidc', allowedGroups: ['a'] })).toEqual(['a'])
  expect(groupsFor({ provider: 'gitlab', gitlabConfig: { group: ['g'], projects: ['p/q=30'] } })).toEqual([
    'g',
    'project:p/q',
  ])
  expect(groupsFor({ provider: 'gitlab', allowedGroups: ['a'] })).toEqual(['a'])
  expect(
    groupsFor({ provider: 'keycloak-oidc', allowedGroups: ['a'], keycloakConfig: { roles: ['app:edit'] } }),
  ).toEqual([...['a', 'role:app:edit']])
  expect(groupsFor({ provider: 'keycloak', keycloakConfig: { groups: ['k'] } })).toEqual(['k'])
})

test('Bitbucket: a team and a repository can be required', async () => {
  const bitbucket = (bitbucketConfig: Record<string, unknown>) =>
    providerWorld({
      kind: 'bitbucket',
      tokenUrl: 'https://bitbucket.org/site/oauth2/access_token',
      options: { bitbucketConfig },
      routes: {
        'GET https://api.bitbucket.org/2.0/user/emails': forBearer({
          values: [{ email: 'ada@example.com', is_primary: true }],
        }),
        'GET https://api.bitbucket.org/2.0/teams': forBearer({ values: [{ username: 'ml' }] }),
        'GET https://api.bitbucket.org/2.0/repositories/corp': (_, url) =>
          Response.json({
            values: url.searchParams.get('q') === 'full_name="corp/models"' ? [{ full_name: 'corp/models' }] : [],
          }),
      },
    })
  expect(await bitbucket({ team: 'ml', repository: 'corp/models' }).signIn()).toMatchObject({
    email: 'ada@example.com',
  })
  await expect(bitbucket({ team: 'ops' }).signIn()).rejects.toMatchObject({ code: 'not_admitted' })
  await expect(bitbucket({ repository: 'corp/other' }).signIn()).rejects.toMatchObject({ code: 'not_admitted' })
})

test('a provider with a certificate of its own authority is believed by it, and by nobody else', async () => {
  const { cert: certificate, key } = selfSignedCertificate()
  const server = createServer({ cert: certificate, key }, (_, response) => response.end('hello')).listen(0, '127.0.0.1')
  await new Promise((resolve) => server.once('listening', resolve))
  const url = `https://localhost:${(server.address() as AddressInfo).port}/`
  const file = join(mkdtempSync(join(tmpdir(), 'ca-')), 'ca.pem')
  writeFileSync(file, certificate)
  // As the parts are given it: a request made on the way keeps whom it believes.
  const outside: Fetch = (input, init) => fetch(new Request(input, init))
  const text = async (trust: Partial<Trust>) => {
    const believing = fetchWithTrust(outside, { caFiles: [], withSystem: false, isBlind: false, ...trust })
    return (await believing(url)).text()
  }
  try {
    await expect(text({})).rejects.toThrow('fetch failed')
    expect(await text({ caFiles: [file] })).toBe('hello')
    expect(await text({ caFiles: [file], withSystem: true })).toBe('hello')
    expect(await text({ isBlind: true })).toBe('hello')
    await expect(text({})).rejects.toThrow('fetch failed')
  } finally {
    server.close()
  }
})
