import { expect, test } from 'vitest'
import { authPath, claimsOf, issuer, openBrowser, openWorld, redeem, signIn } from './broker-world.ts'

test('discovery has Dex’s keys in Dex’s order and layout', async () => {
  const { broker } = await openWorld({ sessions: { enabled: false } })
  const response = await openBrowser(broker).get('/dex/.well-known/openid-configuration')
  expect(response.headers.get('content-type')).toBe('application/json')
  expect(await response.text()).toBe(`{
  "issuer": "http://dex.auth.svc.cluster.local:5556/dex",
  "authorization_endpoint": "http://dex.auth.svc.cluster.local:5556/dex/auth",
  "token_endpoint": "http://dex.auth.svc.cluster.local:5556/dex/token",
  "jwks_uri": "http://dex.auth.svc.cluster.local:5556/dex/keys",
  "userinfo_endpoint": "http://dex.auth.svc.cluster.local:5556/dex/userinfo",
  "introspection_endpoint": "http://dex.auth.svc.cluster.local:5556/dex/token/introspect",
  "grant_types_supported": [
    "authorization_code",
    "refresh_token"
  ],
  "response_types_supported": [
    "code"
  ],
  "subject_types_supported": [
    "public"
  ],
  "id_token_signing_alg_values_supported": [
    "RS256"
  ],
  "code_challenge_methods_supported": [
    "S256",
    "plain"
  ],
  "scopes_supported": [
    "openid",
    "email",
    "groups",
    "profile",
    "offline_access"
  ],
  "token_endpoint_auth_methods_supported": [
    "client_secret_basic",
    "client_secret_post"
  ],
  "claims_supported": [
    "iss",
    "sub",
    "aud",
    "iat",
    "exp",
    "email",
    "email_verified",
    "locale",
    "name",
    "preferred_username",
    "at_hash"
  ]
}`)
})

test('with sessions there is a place to sign out, and tokens carry the session', async () => {
  const { broker } = await openWorld()
  const browser = openBrowser(broker)
  const document = await (await browser.get('/dex/.well-known/openid-configuration')).json()
  expect(document).toMatchObject({ end_session_endpoint: `${issuer}/logout` })
  const { id_token } = await redeem(broker, await signIn(browser))
  expect(claimsOf(id_token)['sid']).toMatch(/^[\w-]{22}$/)
  const without = await openWorld({ sessions: { enabled: false } })
  const tokens = await redeem(without.broker, await signIn(openBrowser(without.broker)))
  expect(claimsOf(tokens.id_token)).not.toHaveProperty('sid')
  expect((await openBrowser(without.broker).get('/dex/logout')).status).toBe(404)
})

test('grants and response types are advertised as configured', async () => {
  const { broker } = await openWorld({
    oauth2: {
      responseTypes: ['token', 'code', 'id_token'],
      passwordConnector: 'local',
      grantTypes: ['password', 'implicit'],
    },
  })
  const document = await (await openBrowser(broker).get('/dex/.well-known/openid-configuration')).json()
  expect(document).toMatchObject({
    grant_types_supported: ['implicit', 'password'],
    response_types_supported: ['code', 'id_token', 'token'],
  })
})

test('the key set may be kept for ten minutes and names its keys by 40 hex digits', async () => {
  const { broker } = await openWorld()
  const response = await openBrowser(broker).get('/dex/keys')
  expect(response.headers.get('cache-control')).toBe('max-age=600, must-revalidate')
  expect(await response.text()).toMatch(
    /^\{\n {2}"keys": \[\n {4}\{\n {6}"use": "sig",\n {6}"kty": "RSA",\n {6}"kid": "[0-9a-f]{40}",\n {6}"alg": "RS256",\n {6}"n": "[\w-]+",\n {6}"e": "AQAB"\n/,
  )
})

test('the header of a token is its algorithm and its key, nothing more', async () => {
  const { broker } = await openWorld()
  const { id_token } = await redeem(broker, await signIn(openBrowser(broker)))
  const header = Buffer.from(id_token.split('.')[0] ?? '', 'base64url').toString()
  expect(header).toMatch(/^\{"alg":"RS256","kid":"[0-9a-f]{40}"\}$/)
})

test('a new key is published half an hour before it signs, and two replicas agree on it', async () => {
  const { broker, clock, reopen } = await openWorld()
  const replica = await reopen()
  const kids = async (part: typeof broker) => {
    const { keys } = (await (await openBrowser(part).get('/dex/keys')).json()) as { keys: { kid: string }[] }
    return keys.map(({ kid }) => kid)
  }
  const signingKid = async (part: typeof broker) => {
    const { id_token } = await redeem(part, await signIn(openBrowser(part)))
    return (JSON.parse(Buffer.from(id_token.split('.')[0] ?? '', 'base64url').toString()) as { kid: string }).kid
  }
  const [first] = await kids(broker)
  clock.advance(5.6 * 3_600_000)
  const announced = await kids(broker)
  expect(announced).toHaveLength(2)
  expect(await kids(replica)).toEqual(announced)
  expect(await signingKid(replica)).toBe(first)
  clock.advance(3_600_000)
  expect(await signingKid(broker)).toBe(announced[1])
  expect(await kids(replica)).toContain(first)
  clock.advance(24 * 3_600_000)
  expect(await kids(replica)).not.toContain(first)
})

test('the small endpoints answer as Dex’s', async () => {
  const { broker } = await openWorld()
  const browser = openBrowser(broker)
  const health = await browser.get('/dex/healthz')
  expect([health.status, await health.text()]).toEqual([200, 'Health check passed'])
  expect((await browser.get('/dex')).status).toBe(200)
  expect((await browser.get('/dex/static/gatehouse.css')).headers.get('content-type')).toMatch('text/css')
  for (const path of [
    '/dex/',
    '/dex/auth/',
    '/dex/theme/logo.png',
    '/dex/unknown',
    '/dex/static/../open-broker.ts',
    '/other',
  ]) {
    expect((await browser.get(path)).status, path).toBe(404)
  }
})

test('pages carry the platform’s name where the configuration gives one', async () => {
  const { broker } = await openWorld({ frontend: { issuer: 'Prokube' } })
  expect(await (await openBrowser(broker).get('/dex')).text()).toContain('<title>Sign-in service · Prokube</title>')
})

test('pages cannot be framed, cached or scripted from elsewhere', async () => {
  const { broker } = await openWorld()
  const browser = openBrowser(broker)
  for (const path of [
    authPath({}, '/dex/auth/local'),
    '/dex/callback',
    '/dex/auth/nobody',
    '/dex',
    '/dex/logout',
    '/dex/x',
  ]) {
    const { response } = await browser.follow(path)
    expect(response.headers.get('content-security-policy'), path).toMatch(/default-src 'none'.*frame-ancestors 'none'/)
    expect(response.headers.get('cache-control'), path).toBe('no-store')
  }
})

test('other origins read the public endpoints only where the configuration says so', async () => {
  const preflight = (headers: string) => ({
    method: 'OPTIONS',
    headers: {
      origin: 'https://app.example.com',
      'access-control-request-method': 'POST',
      'access-control-request-headers': headers,
    },
  })
  const { broker } = await openWorld({ web: { allowedOrigins: ['https://app.example.com'] } })
  const ask = (path: string, init: RequestInit) => broker.fetch(new Request(`${issuer}${path}`, init))
  const keys = await ask('/keys', { headers: { origin: 'https://app.example.com' } })
  expect(keys.headers.get('access-control-allow-origin')).toBe('https://app.example.com')
  const foreign = await ask('/keys', { headers: { origin: 'https://evil.example.com' } })
  expect(foreign.headers.get('access-control-allow-origin')).toBeNull()
  expect((await ask('/token', preflight('authorization'))).headers.get('access-control-allow-headers')).toBe(
    'authorization',
  )
  expect((await ask('/token', preflight('x-other'))).status).toBe(403)
  expect(
    (await ask('/auth', { headers: { origin: 'https://app.example.com' } })).headers.get('access-control-allow-origin'),
  ).toBeNull()
  const closed = await openWorld()
  const answer = await closed.broker.fetch(
    new Request(`${issuer}/keys`, { headers: { origin: 'https://app.example.com' } }),
  )
  expect(answer.headers.get('access-control-allow-origin')).toBeNull()
})
