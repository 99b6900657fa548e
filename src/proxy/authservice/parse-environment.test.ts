import { expect, test } from 'vitest'
import { formatProblem, namedSource, Problems } from '../../kit/problems.ts'
import { parseAuthserviceEnv } from './parse-environment.ts'

const cookieSecret = 'sixteen bytes !!'

function parse(values: Record<string, string>) {
  const problems = new Problems()
  const env = { values, source: namedSource('params.env') }
  const config = parseAuthserviceEnv(env, { cookieSecret, problems })
  return { config, problems: problems.list.map(formatProblem) }
}

/** The files of a guide that puts Keycloak behind Kubeflow 1.7. */
const guide = {
  OIDC_PROVIDER: 'http://192.0.2.7:8080/realms/master',
  OIDC_AUTH_URL: 'http://192.0.2.7:8080/realms/master/protocol/openid-connect/auth',
  OIDC_SCOPES: 'profile email',
  AUTHSERVICE_URL_PREFIX: '/authservice/',
  SKIP_AUTH_URLS: '/authservice',
  AFTER_LOGOUT_URL: '/',
  REDIRECT_URL: 'http://localhost:8989/authservice/oidc/callback',
  USERID_HEADER: 'kubeflow-userid',
  USERID_PREFIX: '',
  USERID_CLAIM: 'email',
  PORT: '"8080"',
  STORE_PATH: '/var/lib/authservice/data.db',
  CLIENT_ID: 'kubeflow-oidc-authservice',
  CLIENT_SECRET: 'secret',
}

test("a guide's params.env is understood, its stale variables only warned about", () => {
  const { config, problems } = parse(guide)
  expect(config).toMatchObject({
    oidc_issuer_url: 'http://192.0.2.7:8080/realms/master',
    scope: 'openid profile email',
    redirect_url: 'http://localhost:8989/authservice/oidc/callback',
    relative_redirect_url: false,
    proxy_prefix: '/authservice',
    cookie_name: 'authservice_session',
    cookie_expire: 86_400_000,
    cookie_secure: false,
    skip_provider_button: true,
    authservice: {
      callbackPath: '/authservice/oidc/callback',
      authorizationUrl: 'http://192.0.2.7:8080/realms/master/protocol/openid-connect/auth',
      skipPrefixes: ['/authservice'],
      afterLogoutUrl: '/',
      userIdHeader: 'kubeflow-userid',
      groupsHeader: 'kubeflow-groups',
      idTokenHeader: undefined,
    },
  })
  expect(problems).toEqual([
    'params.env: warning: STORE_PATH: is not acted on: sessions live in an encrypted cookie, so there is no store',
    'params.env: warning: PORT: is not acted on: was never read by oidc-authservice; use SERVER_PORT',
  ])
})

test('the first generation listens at /login/oidc and sends the ID token', () => {
  const { config } = parse({
    OIDC_PROVIDER: 'http://dex.kubeflow:5556/dex',
    OIDC_AUTH_URL: '/dex/auth',
    OIDC_SCOPES: 'profile email groups',
    REDIRECT_URL: 'https://kf.example.com/oidc/login/oidc',
    SKIP_AUTH_URI: '/dex /public',
    STATIC_DESTINATION_URL: '/start',
    CLIENT_ID: 'ldapdexapp',
    CLIENT_SECRET: 'secret',
  })
  expect(config?.cookie_secure).toBe(true)
  expect(config?.authservice).toMatchObject({
    callbackPath: '/login/oidc',
    skipPrefixes: ['/dex', '/public'],
    afterLoginUrl: '/start',
    idTokenHeader: 'kubeflow-userid-token',
  })
})

test('the callback is under the prefix where no redirect URL is given, and sent as a path', () => {
  const { REDIRECT_URL: _none, ...rest } = guide
  expect(parse(rest).config).toMatchObject({
    redirect_url: '/authservice/oidc/callback',
    relative_redirect_url: true,
  })
})

test('a group allow-list restricts and `*` does not', () => {
  expect(parse({ ...guide, GROUPS_ALLOWLIST: '*' }).config?.allowed_groups).toEqual([])
  expect(parse({ ...guide, GROUPS_ALLOWLIST: 'ml, ops' }).config?.allowed_groups).toEqual(['ml', 'ops'])
})

test('everything wrong is reported at once, with the name of the variable', () => {
  const { config, problems } = parse({
    OIDC_PROVIDER: 'keycloak',
    CLIENT_ID: '',
    REDIRECT_URL: 'nowhere',
    SESSION_SAME_SITE: 'Sometimes',
    SESSION_MAX_AGE: '24h',
    USERID_TRANSFORMERS: '[{"matches":"("}]',
    EXTERNAL_AUTHZ_URL: 'authz',
  })
  expect(config).toBeUndefined()
  expect(problems.map((line) => line.split(': ')[2])).toEqual([
    'CLIENT_ID',
    'CLIENT_SECRET',
    'USERID_TRANSFORMERS',
    'EXTERNAL_AUTHZ_URL',
    'SESSION_MAX_AGE',
    'OIDC_PROVIDER',
    'SESSION_SAME_SITE',
    'REDIRECT_URL',
  ])
})
