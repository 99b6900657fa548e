import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, expect, test, vi } from 'vitest'
import { providerWorld } from '../suites/provider-suite.ts'
import { forBearer, type Route } from '../world/cloud.ts'

const tenant = '11111111-2222-3333-4444-555555555555'
const common = 'https://login.microsoftonline.com/common/v2.0'
const issuerOf = (id: string) => `https://login.microsoftonline.com/${id}/v2.0`
const graph = 'https://graph.microsoft.com/v1.0/me'
const account = { aud: 'our-id', sub: 'ada-1', email: 'ada@example.com' }

afterEach(() => vi.unstubAllEnvs())

function entraWorld(
  claims: Record<string, unknown>,
  {
    config = {},
    routes = {},
    ...more
  }: { config?: Record<string, unknown>; routes?: Record<string, Route> } & Record<string, unknown> = {},
) {
  return providerWorld({
    kind: 'entra-id',
    tokenUrl: `${common}/token`,
    jwksUrl: `${common}/keys`,
    idClaims: { ...account, ...claims },
    options: {
      oidcConfig: {
        ...{ issuerURL: common, skipDiscovery: true, jwksURL: `${common}/keys` },
        insecureSkipIssuerVerification: true,
      },
      loginURL: `${common}/authorize`,
      redeemURL: `${common}/token`,
      microsoftEntraIDConfig: config,
    },
    routes,
    ...more,
  })
}

test('Entra ID: of many tenants only those listed may sign in', async () => {
  const config = { allowedTenants: [tenant] }
  expect(await entraWorld({ iss: issuerOf(tenant), tid: tenant }, { config }).signIn()).toMatchObject({ user: 'ada-1' })
  const other = entraWorld({ iss: issuerOf('99999999-0000-0000-0000-000000000000') }, { config })
  await expect(other.signIn()).rejects.toMatchObject({ code: 'not_admitted' })
})

test.each([
  ['another site', { iss: 'https://evil.example/v2.0' }],
  ['a longer host', { iss: `https://login.microsoftonline.com.evil.example/${tenant}/v2.0` }],
  ['a tenant beside the token’s own', { iss: issuerOf(tenant), tid: 'another' }],
])('Entra ID: with the issuer unverified it still must be a tenant of Microsoft’s: %s', async (_, claims) => {
  await expect(entraWorld(claims).signIn()).rejects.toMatchObject({ code: 'provider_refused' })
})

test('Entra ID: more groups than fit into a token are read from Graph, page by page', async () => {
  const { signIn, cloud } = entraWorld(
    { iss: issuerOf(tenant), _claim_names: { groups: 'src1' } },
    {
      routes: {
        [`GET ${graph}/transitiveMemberOf`]: ({ headers }, url) =>
          headers.get('consistencylevel') !== 'eventual'
            ? new Response('', { status: 400 })
            : url.searchParams.has('$skiptoken')
              ? Response.json({ value: [{ id: 'g2' }, { id: 'g3' }] })
              : Response.json({
                  value: [{ id: 'g1' }, { id: 'g2' }],
                  '@odata.nextLink': `${graph}/transitiveMemberOf?$skiptoken=x`,
                }),
      },
    },
  )
  expect((await signIn()).groups).toEqual(['g1', 'g2', 'g3'])
  expect(cloud.requests).toContain(`GET ${graph}/transitiveMemberOf?$select=id&$top=100`)
})

test('Entra ID: without Graph nobody gains a group', async () => {
  const session = await entraWorld({ iss: issuerOf(tenant), _claim_names: { groups: 'src1' } }).signIn()
  expect(session.groups ?? []).toEqual([])
})

test('Entra ID: a federated token stands in for the secret, for codes and refreshes', async () => {
  const file = join(mkdtempSync(join(tmpdir(), 'federated-')), 'token')
  writeFileSync(file, 'projected-token\n')
  vi.stubEnv('AZURE_FEDERATED_TOKEN_FILE', file)
  const { signIn, provider, cloud } = entraWorld(
    { iss: issuerOf(tenant) },
    { config: { federatedTokenAuth: true }, tokens: { refresh_token: 'good-refresh' } },
  )
  await provider.refresh(await signIn())
  expect(cloud.grants.map((form) => [form.get('client_assertion'), form.get('client_secret')])).toEqual([
    ['projected-token', null],
    ['projected-token', null],
  ])
  expect(cloud.grants[0]?.get('client_assertion_type')).toBe('urn:ietf:params:oauth:client-assertion-type:jwt-bearer')
})

test('Azure: with the v2.0 endpoints Graph tells the groups, by the field that is configured', async () => {
  const { signIn, provider, login, cloud } = providerWorld({
    kind: 'azure',
    tokenUrl: 'https://login.microsoftonline.com/t1/oauth2/v2.0/token',
    jwksUrl: 'https://keys.example/keys',
    idClaims: { iss: 'https://sts.windows.net/t1/', ...account },
    options: {
      oidcConfig: {
        ...{ issuerURL: 'https://sts.windows.net/t1/', skipDiscovery: true, jwksURL: 'https://keys.example/keys' },
      },
      loginURL: 'https://login.microsoftonline.com/t1/oauth2/v2.0/authorize',
      redeemURL: 'https://login.microsoftonline.com/t1/oauth2/v2.0/token',
      scope: 'openid groups',
      resource: 'https://ignored.example',
      azureConfig: { tenant: 't1', graphGroupField: 'displayName' },
    },
    routes: {
      [`GET ${graph}/transitiveMemberOf`]: forBearer({ value: [{ id: '1', displayName: 'ML' }, { id: '2' }] }),
    },
  })
  const url = new URL(await provider.authorizationUrl(login, { state: 's', redirectUri: 'https://a.example/cb' }))
  expect(url.searchParams.get('scope')).toBe('openid https://graph.microsoft.com/.default')
  expect(url.searchParams.get('resource')).toBeNull()
  expect((await signIn()).groups).toEqual(['ML'])
  expect(cloud.grants[0]?.get('client_secret')).toBe('our-secret')
})

test('Azure: the older endpoints are those of the tenant, asked for the resource', async () => {
  const { signIn, provider, login, cloud } = providerWorld({
    kind: 'azure',
    tokenUrl: 'https://login.microsoftonline.com/t1/oauth2/token',
    jwksUrl: 'https://keys.example/keys',
    idClaims: { iss: 'https://sts.windows.net/t1/', ...account },
    options: {
      oidcConfig: {
        ...{ issuerURL: 'https://sts.windows.net/t1/', skipDiscovery: true, jwksURL: 'https://keys.example/keys' },
      },
      resource: 'https://graph.windows.net',
      azureConfig: { tenant: 't1' },
    },
  })
  const url = await provider.authorizationUrl(login, { state: 's', redirectUri: 'https://a.example/cb' })
  expect(url).toMatch(/^https:\/\/login\.microsoftonline\.com\/t1\/oauth2\/authorize\?/)
  expect(new URL(url).searchParams.get('resource')).toBe('https://graph.windows.net')
  await signIn()
  expect(cloud.grants[0]?.get('resource')).toBe('https://graph.windows.net')
})

test('ADFS: the state survives being decoded once too often, and the scope may be left out', async () => {
  const { provider, login } = providerWorld({
    kind: 'adfs',
    tokenUrl: 'https://adfs.example/token',
    options: {
      oidcConfig: { issuerURL: 'https://adfs.example', skipDiscovery: true, jwksURL: 'https://adfs.example/keys' },
      loginURL: 'https://adfs.example/authorize',
      redeemURL: 'https://adfs.example/token',
      ADFSConfig: { skipScope: true },
    },
  })
  const url = await provider.authorizationUrl(login, { state: 'hash:/a?b=c&d', redirectUri: 'https://a.example/cb' })
  const { searchParams } = new URL(url)
  expect(decodeURIComponent(searchParams.get('state') ?? '')).toBe('hash:/a?b=c&d')
  expect(searchParams.get('state')).not.toContain('&')
  expect(searchParams.has('scope')).toBe(false)
})
