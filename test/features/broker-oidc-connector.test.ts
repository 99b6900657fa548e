import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import {
  openUpstream,
  openUpstreamBrowser,
  type Upstream,
  type UpstreamUser,
  upstreamClient,
} from './broker-upstream.ts'
import {
  authPath,
  type Browser,
  claimsOf,
  issuer,
  openBrowser,
  openWorld,
  redeem,
  testClock,
  tokenRequest,
} from './broker-world.ts'

let upstream: Upstream
beforeAll(async () => {
  upstream = await openUpstream(issuer)
})
afterAll(() => upstream.close())

const ada: UpstreamUser = {
  email: 'ada@example.com',
  name: 'Ada Lovelace',
  preferred_username: 'ada',
  groups: ['/platform/admins', 'analysts'],
}
beforeEach(() => {
  upstream.isDown = false
  upstream.tamper = undefined
  upstream.requests.length = 0
  upstream.users.clear()
  upstream.users.set('ada', ada)
})

function keycloak(config: Record<string, unknown> = {}) {
  return {
    enablePasswordDB: false,
    staticPasswords: [],
    connectors: [
      {
        type: 'oidc',
        id: 'keycloak',
        name: 'Keycloak',
        config: {
          issuer: upstream.issuer,
          clientID: upstreamClient.id,
          clientSecret: upstreamClient.secret,
          scopes: ['openid', 'profile', 'email', 'groups'],
          insecureEnableGroups: true,
          ...config,
        },
      },
    ],
  }
}

/** The provider runs on the machine's clock, so the broker does too here. */
const openKeycloakWorld = (config: Record<string, unknown> = {}) =>
  openWorld(keycloak(config), { clock: testClock(Date.now()), fetch: upstream.fetch })

async function signInAtUpstream(browser: Browser, login = 'ada'): Promise<Response> {
  const { response } = await browser.follow(authPath())
  const back = await openUpstreamBrowser(upstream, { login }).visit(response.headers.get('location') ?? '')
  expect(back).toMatch(`${issuer}/callback?`)
  return browser.get(back.slice(new URL(issuer).origin.length))
}

function codeOf(response: Response): string {
  return new URL(response.headers.get('location') ?? '', issuer).searchParams.get('code') ?? ''
}

test('a user of the upstream provider arrives with groups that have no leading slash', async () => {
  const { broker } = await openKeycloakWorld()
  const answer = await signInAtUpstream(openBrowser(broker))
  expect(answer.headers.get('location')).toMatch(/^\/oauth2\/callback\?code=[a-z2-7]{25}&state=proxy-state$/)
  const tokens = await redeem(broker, codeOf(answer))
  expect(claimsOf(tokens.id_token)).toMatchObject({
    email: 'ada@example.com',
    email_verified: true,
    groups: ['platform/admins', 'analysts'],
    name: 'Ada Lovelace',
    preferred_username: 'ada',
    sub: 'CgNhZGESCGtleWNsb2Fr',
  })
})

test('the request upstream has PKCE S256, a nonce and a state of less than 2 kB', async () => {
  const { broker } = await openKeycloakWorld()
  const { response } = await openBrowser(broker).follow(authPath({ state: 's'.repeat(300), nonce: 'n'.repeat(43) }))
  const url = new URL(response.headers.get('location') ?? '')
  expect(url.origin).toBe(upstream.issuer)
  expect(Object.fromEntries(url.searchParams)).toMatchObject({
    client_id: 'dex',
    redirect_uri: `${issuer}/callback`,
    response_type: 'code',
    scope: 'openid profile email groups',
    code_challenge_method: 'S256',
    access_type: 'offline',
    prompt: 'consent',
  })
  expect(url.searchParams.get('nonce')).toMatch(/^[\w-]{43}$/)
  expect(url.searchParams.get('state')?.length).toBeLessThan(2048)
})

test('a visitor who is away at the provider while the broker restarts comes back to another replica', async () => {
  const { broker, reopen } = await openKeycloakWorld()
  const browser = openBrowser(broker)
  const { response } = await browser.follow(authPath())
  const back = new URL(
    await openUpstreamBrowser(upstream, { login: 'ada' }).visit(response.headers.get('location') ?? ''),
  )
  const restarted = openBrowser(await reopen())
  for (const [name, value] of browser.cookies) restarted.cookies.set(name, value)
  const answer = await restarted.get(`${back.pathname}${back.search}`)
  expect(claimsOf((await redeem(broker, codeOf(answer))).id_token)['email']).toBe('ada@example.com')
})

test('a refresh asks upstream: changed groups arrive and a disabled user is refused for good', async () => {
  const { broker } = await openKeycloakWorld()
  const first = await redeem(broker, codeOf(await signInAtUpstream(openBrowser(broker))))
  upstream.users.set('ada', { ...ada, groups: ['/retired'], name: 'Ada King' })
  const refreshed = await tokenRequest(broker, {
    grant_type: 'refresh_token',
    refresh_token: first.refresh_token ?? '',
  })
  expect(refreshed.status).toBe(200)
  const second = (await refreshed.json()) as typeof first
  expect(claimsOf(second.id_token)).toMatchObject({
    groups: ['retired'],
    name: 'Ada King',
    sub: claimsOf(first.id_token)['sub'],
  })

  upstream.users.delete('ada')
  const refused = await tokenRequest(broker, { grant_type: 'refresh_token', refresh_token: second.refresh_token ?? '' })
  expect(refused.status).toBe(400)
  expect(await refused.json()).toMatchObject({ error: 'invalid_grant' })
  upstream.users.set('ada', ada)
  const later = await tokenRequest(broker, { grant_type: 'refresh_token', refresh_token: second.refresh_token ?? '' })
  expect(later.status).toBe(400)
})

const withoutClaims = { scopes: ['openid', 'groups'], insecureEnableGroups: true, userNameKey: 'sub' }

test('ten refreshes in parallel ask upstream once', async () => {
  const world = await openWorld(
    { ...keycloak(), expiry: { refreshTokens: { reuseInterval: '30s' } } },
    { clock: testClock(Date.now()), fetch: upstream.fetch },
  )
  const { refresh_token = '' } = await redeem(world.broker, codeOf(await signInAtUpstream(openBrowser(world.broker))))
  world.clock.advance(31_000)
  upstream.requests.length = 0
  const form = { grant_type: 'refresh_token', refresh_token }
  const answers = await Promise.all(Array.from({ length: 10 }, () => tokenRequest(world.broker, form)))
  expect(answers.map(({ status }) => status)).toEqual(Array.from({ length: 10 }, () => 200))
  expect(upstream.requests.filter((path) => path === '/token')).toHaveLength(1)
})

test('a refresh while the provider is down fails, and the same token works when it is back', async () => {
  const { broker } = await openKeycloakWorld()
  const { refresh_token = '' } = await redeem(broker, codeOf(await signInAtUpstream(openBrowser(broker))))
  const form = { grant_type: 'refresh_token', refresh_token }
  upstream.isDown = true
  expect((await tokenRequest(broker, form)).status).toBe(500)
  upstream.isDown = false
  expect((await tokenRequest(broker, form)).status).toBe(200)
})

test('a refresh that comes back as somebody else is refused', async () => {
  const { broker } = await openKeycloakWorld({ ...withoutClaims, userIDKey: 'email', scopes: ['email', 'groups'] })
  const { refresh_token = '' } = await redeem(broker, codeOf(await signInAtUpstream(openBrowser(broker))))
  upstream.users.set('ada', { ...ada, email: 'root@example.com' })
  const refused = await tokenRequest(broker, { grant_type: 'refresh_token', refresh_token })
  expect([refused.status, ((await refused.json()) as { error: string }).error]).toEqual([400, 'invalid_grant'])
})

test('without a refresh token from upstream none is given', async () => {
  const { broker } = await openKeycloakWorld()
  upstream.tamper = (path, { refresh_token, ...body }) => (path === '/token' ? body : { refresh_token, ...body })
  const tokens = await redeem(broker, codeOf(await signInAtUpstream(openBrowser(broker))))
  expect(tokens).not.toHaveProperty('refresh_token')
})

test('a user in none of the allowed groups is refused at sign-in and at a later refresh', async () => {
  const { broker } = await openKeycloakWorld({ allowedGroups: ['/platform/admins', 'operators'] })
  const answer = await signInAtUpstream(openBrowser(broker))
  const tokens = await redeem(broker, codeOf(answer))
  expect(claimsOf(tokens.id_token)['groups']).toEqual(['platform/admins'])
  upstream.users.set('ada', { ...ada, groups: ['visitors'] })
  const refused = await signInAtUpstream(openBrowser(broker))
  expect(refused.status).toBe(403)
  expect(await refused.text()).toContain('You are not a member of any of the required groups to authenticate.')
  const refresh = { grant_type: 'refresh_token', refresh_token: tokens.refresh_token ?? '' }
  expect((await tokenRequest(broker, refresh)).status).toBe(400)
})

test('saying no at the provider tells the application access_denied', async () => {
  const { broker } = await openKeycloakWorld()
  const browser = openBrowser(broker)
  const { response } = await browser.follow(authPath())
  const state = new URL(response.headers.get('location') ?? '').searchParams.get('state') ?? ''
  const back = new URLSearchParams({ state, error: 'access_denied', iss: upstream.issuer })
  const answer = await browser.get(`/dex/callback?${back}`)
  expect(answer.headers.get('location')).toMatch(/^\/oauth2\/callback\?error=access_denied&.*state=proxy-state$/)
})

test.each([
  ['another error', { error: 'server_error' }],
  ['no issuer, although it promises one', { code: 'x' }],
  ['another issuer', { code: 'x', iss: 'https://evil.example.com' }],
  ['a code it never gave', { code: 'x', iss: 'upstream' }],
])('the provider sending back %s is a page, without its words', async (_what, parameters: Record<string, string>) => {
  const { broker } = await openKeycloakWorld()
  const browser = openBrowser(broker)
  const { response } = await browser.follow(authPath())
  const state = new URL(response.headers.get('location') ?? '').searchParams.get('state') ?? ''
  const iss = parameters['iss'] === 'upstream' ? { iss: upstream.issuer } : {}
  const back = new URLSearchParams({ ...parameters, ...iss, state, error_description: '<b>secret</b>' })
  const answer = await browser.get(`/dex/callback?${back}`)
  expect([answer.status, answer.headers.get('location')]).toEqual([500, null])
  const page = await answer.text()
  expect(page).toContain('Authentication failed. Please contact your administrator or try again later.')
  expect(page).not.toContain('secret')
})

test('an ID token that is unsigned, of another key, client or attempt is not believed', async () => {
  const { broker } = await openKeycloakWorld()
  const alter = (change: (claims: Record<string, unknown>, header: Record<string, unknown>) => void) => {
    upstream.tamper = (path, body) => {
      if (path !== '/token') return body
      const [header = '', payload = '', signature = ''] = String(body['id_token']).split('.')
      const read = (part: string) => JSON.parse(Buffer.from(part, 'base64url').toString()) as Record<string, unknown>
      const [head, claims] = [read(header), read(payload)]
      change(claims, head)
      const write = (part: unknown) => Buffer.from(JSON.stringify(part)).toString('base64url')
      return { ...body, id_token: `${write(head)}.${write(claims)}.${head['alg'] === 'none' ? '' : signature}` }
    }
  }
  const attacks: ((claims: Record<string, unknown>, header: Record<string, unknown>) => void)[] = [
    (claims) => Object.assign(claims, { email: 'root@example.com' }),
    (_claims, header) => Object.assign(header, { alg: 'none' }),
    (_claims, header) => Object.assign(header, { alg: 'HS256' }),
    (claims) => Object.assign(claims, { aud: 'another-client' }),
    (claims) => Object.assign(claims, { nonce: 'another-attempt' }),
    (claims) => Object.assign(claims, { exp: 1 }),
    (claims) => Object.assign(claims, { iss: 'https://evil.example.com' }),
  ]
  for (const attack of attacks) {
    alter(attack)
    const answer = await signInAtUpstream(openBrowser(broker))
    expect([answer.status, answer.headers.get('location')], attack.toString()).toEqual([500, null])
  }
})

test('a provider that is down says so on a page, and is tried again by itself', async () => {
  const world = await openWorld(
    { ...keycloak(), connectors: [...keycloak().connectors, { type: 'mockCallback', id: 'mock', name: 'Mock' }] },
    { clock: testClock(Date.now()), fetch: upstream.fetch },
  )
  const browser = openBrowser(world.broker)
  upstream.isDown = true
  const path = authPath({}, '/dex/auth/keycloak')
  const down = await browser.get(path)
  expect(down.status).toBe(503)
  expect(await down.text()).toContain('Keycloak cannot be reached right now.')
  expect((await browser.get(authPath({}, '/dex/auth/mock'))).status, 'the other connector').toBe(302)

  upstream.isDown = false
  expect((await browser.get(path)).status, 'not asked again at once').toBe(503)
  expect(upstream.requests).toEqual([])
  world.clock.advance(1001)
  expect((await browser.get(path)).status).toBe(302)
})

test('a provider whose discovery document names another issuer is not used', async () => {
  const { broker } = await openKeycloakWorld()
  upstream.tamper = (_path, body) => ({ ...body, issuer: 'https://evil.example.com' })
  expect((await openBrowser(broker).get(authPath({}, '/dex/auth/keycloak'))).status).toBe(503)
  const aliased = await openKeycloakWorld({ issuerAlias: 'https://evil.example.com' })
  expect((await openBrowser(aliased.broker).get(authPath({}, '/dex/auth/keycloak'))).status).toBe(302)
})

test('overrides replace what discovery says', async () => {
  const { broker } = await openKeycloakWorld({
    providerDiscoveryOverrides: { authURL: 'http://other.example.com/authorize' },
  })
  const { response } = await openBrowser(broker).follow(authPath())
  expect(response.headers.get('location')).toMatch('http://other.example.com/authorize?')
})

test('userinfo is asked where the connector says so, and cannot name another user', async () => {
  const { broker } = await openKeycloakWorld({ getUserInfo: true })
  upstream.tamper = (path, body) => (path === '/me' ? { ...body, groups: ['/from-userinfo'] } : body)
  const tokens = await redeem(broker, codeOf(await signInAtUpstream(openBrowser(broker))))
  expect(claimsOf(tokens.id_token)['groups']).toEqual(['from-userinfo'])
  upstream.tamper = (path, body) => (path === '/me' ? { ...body, sub: 'root' } : body)
  expect((await signInAtUpstream(openBrowser(broker))).status).toBe(500)
})
