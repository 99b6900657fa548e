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
