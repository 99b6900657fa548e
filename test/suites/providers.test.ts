import { generateKeyPairSync } from 'node:crypto'
import { expect, test } from 'vitest'
import { providerKinds } from '../../src/proxy/provider/index.ts'
import { forBearer, type Route } from '../world/cloud.ts'
import { type ProviderCase, providerSuite } from './provider-suite.ts'

const issuer = 'https://id.example'
const claims = { iss: issuer, aud: 'our-id', sub: 'ada-1', email: 'ada@example.com', email_verified: true }
const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
const pem = String(privateKey.export({ format: 'pem', type: 'pkcs8' }))

/** What a provider with discovery says of itself. */
function discovery(at: string, more: Record<string, unknown> = {}): Record<string, Route> {
  return {
    [`GET ${at}/.well-known/openid-configuration`]: () =>
      Response.json({
        issuer: at,
        authorization_endpoint: `${at}/authorize`,
        token_endpoint: `${at}/token`,
        jwks_uri: `${at}/keys`,
        userinfo_endpoint: `${at}/userinfo`,
        ...more,
      }),
  }
}

const discovered = {
  options: { oidcConfig: { issuerURL: issuer } },
  loginUrl: `${issuer}/authorize`,
  tokenUrl: `${issuer}/token`,
  jwksUrl: `${issuer}/keys`,
  idClaims: claims,
  routes: discovery(issuer),
  session: { user: 'ada-1', email: 'ada@example.com' },
}

const githubApi = 'https://api.github.com'
const entra = 'https://login.microsoftonline.com/11111111-2222-3333-4444-555555555555/v2.0'

const cases: readonly ProviderCase[] = [
  {
    ...discovered,
    kind: 'oidc',
    scope: 'openid email profile',
    options: { ...discovered.options, validateURL: `${issuer}/check` },
    routes: { ...discovered.routes, [`GET ${issuer}/check`]: forBearer({}) },
    validates: `GET ${issuer}/check`,
  },
  {
    ...discovered,
    kind: 'keycloak-oidc',
    scope: 'openid email profile groups',
    options: { ...discovered.options, allowedGroups: ['ml'] },
    idClaims: { ...claims, groups: ['ml'] },
    session: { user: 'ada-1', email: 'ada@example.com', groups: ['ml'] },
  },
  {
    kind: 'keycloak',
    options: { loginURL: `${issuer}/auth`, redeemURL: `${issuer}/token`, validateURL: `${issuer}/userinfo` },
    loginUrl: `${issuer}/auth`,
    tokenUrl: `${issuer}/token`,
    scope: 'api',
    routes: {
      [`GET ${issuer}/userinfo`]: forBearer({
        ...{ email: 'ada@example.com', preferred_username: 'ada', groups: ['ml', ''] },
      }),
    },
    session: { user: 'ada', email: 'ada@example.com', preferredUsername: 'ada', groups: ['ml'] },
    validates: `GET ${issuer}/userinfo`,
  },
  {
    kind: 'github',
    loginUrl: 'https://github.com/login/oauth/authorize',
    tokenUrl: 'https://github.com/login/oauth/access_token',
    scope: 'user:email read:org',
    routes: {
      [`GET ${githubApi}/`]: forBearer({}, 'token'),
      [`GET ${githubApi}/user`]: forBearer({ login: 'ada' }, 'token'),
      [`GET ${githubApi}/user/emails`]: forBearer(
        [
          { email: 'old@example.com', primary: false, verified: true },
          { email: 'ada@example.com', primary: true, verified: true },
        ],
        'token',
      ),
      [`GET ${githubApi}/user/orgs`]: (_, url) =>
        url.searchParams.get('page') === '1'
          ? Response.json([{ login: 'corp' }], { headers: { link: `<${githubApi}/user/orgs?page=2>; rel="next"` } })
          : Response.json([{ login: 'lab' }], { headers: { link: `<${githubApi}/user/orgs?page=1>; rel="prev"` } }),
      [`GET ${githubApi}/user/teams`]: (_, url) =>
        Response.json(url.searchParams.get('page') === '1' ? [{ slug: 'ml', organization: { login: 'corp' } }] : []),
    },
    session: { user: 'ada', email: 'ada@example.com', groups: ['corp', 'lab', 'corp:ml'] },
    validates: `GET ${githubApi}/`,
  },
  {
    ...discovered,
    kind: 'gitlab',
    scope: 'openid email read_api',
    options: { ...discovered.options, gitlabConfig: { projects: ['corp/models=30', 'corp/old', 'corp/secret'] } },
    routes: {
      ...discovered.routes,
      [`GET ${issuer}/oauth/userinfo`]: forBearer({
        ...{ nickname: 'ada', email: 'ada@example.com', email_verified: true, groups: ['corp'] },
      }),
      [`GET ${issuer}/api/v4/projects/corp%2Fmodels`]: forBearer({
        permissions: { project_access: null, group_access: { access_level: 30 } },
      }),
      [`GET ${issuer}/api/v4/projects/corp%2Fold`]: forBearer({
        ...{ archived: true, permissions: { project_access: { access_level: 50 } } },
      }),
    },
    session: { user: 'ada', email: 'ada@example.com', groups: ['corp', 'project:corp/models'] },
  },
  {
    kind: 'google',
    loginUrl: 'https://accounts.google.com/o/oauth2/auth',
    tokenUrl: 'https://www.googleapis.com/oauth2/v3/token',
    jwksUrl: 'https://www.googleapis.com/oauth2/v3/certs',
    idClaims: { ...claims, iss: 'https://accounts.google.com' },
    scope: 'profile email',
    routes: {
      'GET https://www.googleapis.com/oauth2/v1/tokeninfo': (_, url) =>
        new Response('{}', { status: url.searchParams.get('access_token')?.startsWith('access-') ? 200 : 400 }),
    },
    session: { user: 'ada-1', email: 'ada@example.com' },
    validates: 'GET https://www.googleapis.com/oauth2/v1/tokeninfo',
  },
  {
    ...discovered,
    kind: 'azure',
    scope: 'openid',
    idClaims: { ...claims, email: undefined },
    routes: {
      ...discovered.routes,
      'GET https://graph.microsoft.com/v1.0/me': forBearer({ mail: null, otherMails: ['ada@example.com'] }),
    },
    options: { oidcConfig: { issuerURL: issuer, skipDiscovery: false } },
    session: { user: 'ada-1', email: 'ada@example.com' },
    validates: 'GET https://graph.microsoft.com/v1.0/me',
  },
  {
    kind: 'entra-id',
    options: { oidcConfig: { issuerURL: entra } },
    loginUrl: `${entra}/authorize`,
    tokenUrl: `${entra}/token`,
    jwksUrl: `${entra}/keys`,
    idClaims: { ...claims, iss: entra, tid: '11111111-2222-3333-4444-555555555555', groups: ['g1'] },
    routes: discovery(entra),
    scope: 'openid email profile',
    session: { user: 'ada-1', email: 'ada@example.com', groups: ['g1'] },
  },
  {
    ...discovered,
    kind: 'adfs',
    scope: 'https://app.example/openid email profile',
    options: { ...discovered.options, resource: 'https://app.example' },
    idClaims: { iss: issuer, aud: 'our-id', sub: 'ada-1', upn: 'ada@corp.example' },
    session: { user: 'ada-1', email: 'ada@corp.example' },
  },
  {
    ...discovered,
    kind: 'cidaas',
    scope: 'openid email profile roles groups',
    routes: {
      ...discovered.routes,
      [`GET ${issuer}/userinfo`]: forBearer({
        ...{ sub: 'ada-1', groups: [{ groupId: 'ml', roles: ['USER', 'ADMIN'] }], roles: ['STAFF'] },
      }),
    },
    session: { user: 'ada-1', email: 'ada@example.com', groups: ['ml:USER', 'ml:ADMIN', 'cidaas:STAFF'] },
  },
  {
    kind: 'bitbucket',
    loginUrl: 'https://bitbucket.org/site/oauth2/authorize',
    tokenUrl: 'https://bitbucket.org/site/oauth2/access_token',
    scope: 'email',
    routes: {
      'GET https://api.bitbucket.org/2.0/user/emails': forBearer({
        values: [{ email: 'x@example.com' }, { email: 'ada@example.com', is_primary: true }],
      }),
    },
    session: { email: 'ada@example.com' },
    validates: 'GET https://api.bitbucket.org/2.0/user/emails',
  },
  {
    kind: 'digitalocean',
    loginUrl: 'https://cloud.digitalocean.com/v1/oauth/authorize',
    tokenUrl: 'https://cloud.digitalocean.com/v1/oauth/token',
    scope: 'read',
    routes: { 'GET https://api.digitalocean.com/v2/account': forBearer({ account: { email: 'ada@example.com' } }) },
    session: { email: 'ada@example.com' },
    validates: 'GET https://api.digitalocean.com/v2/account',
  },
  {
    kind: 'facebook',
    loginUrl: 'https://www.facebook.com/v2.5/dialog/oauth',
    tokenUrl: 'https://graph.facebook.com/v2.5/oauth/access_token',
    scope: 'public_profile email',
    routes: { 'GET https://graph.facebook.com/v2.5/me': forBearer({ name: 'Ada', email: 'ada@example.com' }) },
    session: { email: 'ada@example.com' },
    validates: 'GET https://graph.facebook.com/v2.5/me',
  },
  {
    kind: 'linkedin',
    loginUrl: 'https://www.linkedin.com/oauth/v2/authorization',
    tokenUrl: 'https://www.linkedin.com/uas/oauth2/accessToken',
    scope: 'r_emailaddress r_liteprofile',
    routes: {
      'GET https://api.linkedin.com/v2/emailAddress': forBearer({
        elements: [{ 'handle~': { emailAddress: 'ada@example.com' } }],
      }),
      'GET https://api.linkedin.com/v2/me': forBearer({}),
    },
    session: { email: 'ada@example.com' },
    validates: 'GET https://api.linkedin.com/v2/me',
  },
  {
    kind: 'login.gov',
    options: { loginGovConfig: { jwtKey: pem, pubjwkURL: 'https://secure.login.gov/api/openid_connect/certs' } },
    loginUrl: 'https://secure.login.gov/openid_connect/authorize',
    tokenUrl: 'https://secure.login.gov/api/openid_connect/token',
    jwksUrl: 'https://secure.login.gov/api/openid_connect/certs',
    scope: 'email openid',
    idClaims: { iss: 'https://secure.login.gov/', aud: 'our-id', sub: 'ada-1' },
    routes: {
      'GET https://secure.login.gov/api/openid_connect/userinfo': forBearer({
        ...{ sub: 'ada-1', email: 'ada@example.com', email_verified: true },
      }),
    },
    session: { user: 'ada-1', email: 'ada@example.com' },
    validates: 'GET https://secure.login.gov/api/openid_connect/userinfo',
  },
  {
    kind: 'nextcloud',
    options: {
      loginURL: 'https://cloud.example/apps/oauth2/authorize',
      redeemURL: 'https://cloud.example/apps/oauth2/api/v1/token',
      validateURL: 'https://cloud.example/ocs/v2.php/cloud/user?format=json',
    },
    loginUrl: 'https://cloud.example/apps/oauth2/authorize',
    tokenUrl: 'https://cloud.example/apps/oauth2/api/v1/token',
    scope: '',
    routes: {
      'GET https://cloud.example/ocs/v2.php/cloud/user': forBearer({
        ocs: { data: { id: 'ada', email: 'ada@example.com', groups: ['ml'] } },
      }),
    },
    session: { user: 'ada', email: 'ada@example.com', groups: ['ml'] },
    validates: 'GET https://cloud.example/ocs/v2.php/cloud/user',
  },
  {
    kind: 'sourcehut',
    loginUrl: 'https://meta.sr.ht/oauth2/authorize',
    tokenUrl: 'https://meta.sr.ht/oauth2/access-token',
    scope: 'meta.sr.ht/PROFILE:RO',
    routes: {
      'POST https://meta.sr.ht/query': forBearer({ data: { me: { username: 'ada', email: 'ada@example.com' } } }),
      'GET https://meta.sr.ht/profile': forBearer({}),
    },
    session: { user: 'ada', preferredUsername: 'ada', email: 'ada@example.com' },
    validates: 'GET https://meta.sr.ht/profile',
  },
]

for (const one of cases) providerSuite(one)

test('every kind of provider runs the suite', () => {
  expect(cases.map(({ kind }) => kind).toSorted()).toEqual(Object.keys(providerKinds).toSorted())
})
