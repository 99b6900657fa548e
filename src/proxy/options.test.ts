import { expect, test } from 'vitest'
import { formatProblem, namedSource, Problems, type SourceDocument } from '../kit/problems.ts'
import { proxyConfigSchema } from './config.ts'
import { parseProxyFlags } from './flags.ts'
import { environmentNameOf, flagOf, type ProxyKey, proxyKeyNames, proxyKeys } from './keys.ts'
import { type ProxyOptionSources, parseProxyOptions } from './options.ts'

const kubeflow = {
  provider: 'oidc',
  oidc_issuer_url: 'http://dex.auth.svc.cluster.local:5556/dex',
  client_id: 'kubeflow-oidc-authservice',
  client_secret: 'pUBnBOY80SnXgjibTYM9ZWNzY2xreNGQok',
  cookie_secret: 'uk3WkhkW6Yc6i1YqRUyCE5Ud6K0DsBX1iHDSHWq3Nlg',
  email_domains: '*',
  upstreams: ['static://200'],
  skip_auth_routes: ['^/dex/'],
  api_routes: ['/api/', '/apis/', '^/ml_metadata'],
  skip_oidc_discovery: true,
  login_url: '/dex/auth',
  redeem_url: 'http://dex.auth.svc.cluster.local:5556/dex/token',
  oidc_jwks_url: 'http://dex.auth.svc.cluster.local:5556/dex/keys',
  redirect_url: '/oauth2/callback',
  relative_redirect_url: true,
}

function parse(sources: Omit<ProxyOptionSources, 'problems' | 'toml'> & { toml?: Record<string, unknown> }) {
  const problems = new Problems()
  const { toml = kubeflow, ...rest } = sources
  const document: SourceDocument = { value: toml, source: namedSource('oauth2_proxy.cfg') }
  const config = parseProxyOptions({ toml: document, ...rest, problems })
  return { config, problems: problems.list.map(formatProblem) }
}

test('the table names all 168 keys of oauth2-proxy beside our own', () => {
  const theirs = proxyKeyNames.filter((name) => !(proxyKeys[name] as ProxyKey).own)
  expect(theirs).toHaveLength(168)
})

test("Kubeflow's configuration is taken without a complaint", () => {
  const { config, problems } = parse({})
  expect(problems).toEqual([])
  expect(config).toMatchObject({
    email_domains: ['*'],
    cookie_name: '_oauth2_proxy',
    cookie_expire: 168 * 3_600_000,
    api_routes: ['/api/', '/apis/', '^/ml_metadata'],
  })
})

test('a flag beats the environment, which beats the file, which beats the default', () => {
  const toml = { ...kubeflow, cookie_name: 'from_file' }
  const env = { values: { OAUTH2_PROXY_COOKIE_NAME: 'from_env' } }
  expect(parse({ toml }).config?.cookie_name).toBe('from_file')
  expect(parse({ toml, env }).config?.cookie_name).toBe('from_env')
  expect(parse({ toml, env, flags: ['--cookie-name', 'from_flag'] }).config?.cookie_name).toBe('from_flag')
  expect(parse({}).config?.cookie_name).toBe('_oauth2_proxy')
})

test('an empty environment variable is an unset one and an unknown one is ignored', () => {
  const env = { values: { OAUTH2_PROXY_EXTRA_JWT_ISSUERS: '', OAUTH2_PROXY_NO_SUCH_KEY: 'x', PATH: '/bin' } }
  const { config, problems } = parse({ env, toml: { ...kubeflow, extra_jwt_issuers: ['https://k8s.example=aud'] } })
  expect(problems).toEqual([])
  expect(config?.extra_jwt_issuers).toEqual(['https://k8s.example=aud'])
})

test('texts become booleans, lists and durations as viper makes them', () => {
  const { config } = parse({
    toml: {
      ...kubeflow,
      cookie_secure: 'false',
      cookie_expire: '24h',
      cookie_refresh: 0,
      email_domains: 'a.org,b.org',
    },
    env: { values: { OAUTH2_PROXY_SKIP_JWT_BEARER_TOKENS: 'true', OAUTH2_PROXY_API_ROUTES: '/a,/b' } },
  })
  expect(config).toMatchObject({
    cookie_secure: false,
    cookie_expire: 86_400_000,
    cookie_refresh: 0,
    email_domains: ['a.org', 'b.org'],
    skip_jwt_bearer_tokens: true,
    api_routes: ['/a', '/b'],
  })
})

test('a duration written as a text needs its unit, a fraction of a number is cut off', () => {
  expect(parse({ toml: { ...kubeflow, cookie_expire: '24' } }).config).toBeUndefined()
  expect(parse({ toml: { ...kubeflow, cookie_csrf_per_request_limit: 5.7 } }).config).toMatchObject({
    cookie_csrf_per_request_limit: 5,
  })
})

test('a flag is typed strictly and `--` ends the flags', () => {
  for (const flag of ['--cookie-expire=24', '--cookie-secure=yes', '--cookie-csrf-per-request-limit=5x']) {
    expect(parse({ flags: [flag] }).problems).toContainEqual(expect.stringContaining('must be'))
  }
  expect(parse({ flags: ['--cookie-name', 'mine', '--', '--no-such-flag'] }).config?.cookie_name).toBe('mine')
  expect(parseProxyFlags(['--google-use-organization-id', 'true', '--cookie-name=mine']).unknown).toEqual([])
})

test('a bare number for a duration is nanoseconds', () => {
  expect(parse({ toml: { ...kubeflow, cookie_expire: 24_000_000 } }).config?.cookie_expire).toBe(24)
})

test('keys of the file have no case', () => {
  expect(parse({ toml: { ...kubeflow, Cookie_Name: 'kf' } }).config?.cookie_name).toBe('kf')
})

test('an unknown key of the file is an error that says what was meant', () => {
  const { config, problems } = parse({ toml: { ...kubeflow, cookie_nme: 'x' } })
  expect(config).toBeUndefined()
  expect(problems).toEqual([
    'oauth2_proxy.cfg: error: cookie_nme: unknown key `cookie_nme`; did you mean `cookie_name`?',
  ])
})

test('every wrong value is reported at once', () => {
  const { problems } = parse({
    toml: {
      ...kubeflow,
      provider: 'gitbug',
      cookie_secret: 'fifteen-bytes!!',
      cookie_secure: 'maybe',
      skip_auth_routes: ['^/(?=x)'],
      cookie_samesite: 'some',
      redeem_url: '/dex/token',
      upstreams: ['http://app:8080'],
    },
  })
  expect(problems.map((line) => line.split(': ').slice(1, 3).join(' '))).toEqual([
    'error cookie_secure',
    'error provider',
    'error redeem_url',
    'error cookie_secret',
    'error cookie_samesite',
    'error skip_auth_routes',
    'error upstreams',
  ])
})

test('a key that is not acted on is named with the reason, and refused where that would be unsafe', () => {
  const { config, problems } = parse({ toml: { ...kubeflow, metrics_address: ':44180', standard_logging: true } })
  expect(config).toBeDefined()
  expect(problems).toEqual([
    'oauth2_proxy.cfg: warning: metrics_address: is not acted on: metrics are not served; remove it',
  ])
  expect(parse({ toml: { ...kubeflow, tls_cert_file: '/tls.crt' } }).config).toBeUndefined()
})

test('flags are spelled as in the original', () => {
  expect(flagOf('cookie_name')).toBe('--cookie-name')
  expect(flagOf('email_domains')).toBe('--email-domain')
  expect(flagOf('extra_jwt_issuers')).toBe('--extra-jwt-issuers')
  expect(environmentNameOf('email_domains')).toBe('OAUTH2_PROXY_EMAIL_DOMAINS')
})

test('list flags repeat and split, boolean flags may stand alone', () => {
  const flags = ['--email-domain=a.org', '--email-domain', 'b.org,c.org', '--set-xauthrequest', '--cookie-secure=false']
  expect(parse({ flags }).config).toMatchObject({
    email_domains: ['a.org', 'b.org', 'c.org'],
    set_xauthrequest: true,
    cookie_secure: false,
  })
  expect(parse({ flags: ['--api-route="^/a{1,2}",/b'] }).config?.api_routes).toEqual(['^/a{1,2}', '/b'])
})

test('an unknown flag is an error that says what was meant', () => {
  expect(parse({ flags: ['--cookie-nam=x'] }).problems.join()).toContain('did you mean `--cookie-name`?')
  expect(parse({ flags: ['--confg=x'] }).problems.join()).toContain('did you mean `--config`?')
})

test('the section of gatehouse.yaml has the same keys and typing', () => {
  const config = proxyConfigSchema.parse({ ...kubeflow, provider: undefined, cookie_expire: '24h' })
  expect(config).toMatchObject({ provider: 'oidc', cookie_expire: 86_400_000, proxy_prefix: '/oauth2' })
  expect(proxyConfigSchema.safeParse({ ...kubeflow, cookie_nme: 'x' }).success).toBe(false)
  expect(proxyConfigSchema.safeParse({ ...kubeflow, cookie_secret: 'short' }).success).toBe(false)
})
