import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import type { Part } from '../../src/http/part.ts'
import { parseKeySet } from '../../src/tokens/jwk.ts'
import { verifyJwt } from '../../src/tokens/verify.ts'
import {
  openUpstream,
  openUpstreamBrowser,
  type Upstream,
  type UpstreamBrowser,
  upstreamClient,
} from './broker-upstream.ts'
import {
  authPath,
  claimsOf,
  issuer,
  openBrowser,
  openWorld,
  proxyClient,
  redeem,
  signIn,
  testClock,
  tokenRequest,
} from './broker-world.ts'

const told = 'https://proxy.example.com/oauth2/backchannel-logout'
const client = { ...proxyClient, backchannelLogoutURI: told }

let upstream: Upstream
beforeAll(async () => {
  upstream = await openUpstream(issuer)
})
afterAll(() => upstream.close())
beforeEach(() => {
  upstream.users.set('ada', { email: 'ada@example.com', name: 'Ada', preferred_username: 'ada', groups: [] })
})

/** A broker over the upstream provider which can call it back, and what the broker's client was told. */
async function world(config: Record<string, unknown> = {}) {
  const requests: { url: string; token: string }[] = []
  const opened = await openWorld(
    {
      staticClients: [client],
      connectors: [
        {
          type: 'oidc',
          id: 'keycloak',
          name: 'Keycloak',
          config: { issuer: upstream.issuer, clientID: upstreamClient.id, clientSecret: upstreamClient.secret },
        },
      ],
      ...config,
    },
    {
      clock: testClock(Date.now()), // the provider runs on the machine's clock
      fetch: async (input, init) => {
        const { url } = new Request(input)
        if (!url.endsWith('/oauth2/backchannel-logout')) return upstream.fetch(input, init)
        requests.push({ url, token: new URLSearchParams(String(init?.body)).get('logout_token') ?? '' })
        return new Response(null, { status: 200 })
      },
    },
  )
  const received: string[] = []
  upstream.callClient = async (url, init) => {
    const request = new Request(url, init)
    received.push(new URLSearchParams(await request.clone().text()).get('logout_token') ?? '')
    return opened.broker.fetch(request)
  }
  return { ...opened, requests, received }
}

async function signInThrough({ broker }: { broker: Part }, there: UpstreamBrowser, browser = openBrowser(broker)) {
  const { response } = await browser.follow(authPath({}, '/dex/auth/keycloak'))
  const back = await there.visit(response.headers.get('location') ?? '')
  const answer = await browser.get(back.slice(new URL(issuer).origin.length))
  const code = new URL(answer.headers.get('location') ?? '', issuer).searchParams.get('code') ?? ''
  return { browser, tokens: await redeem(broker, code) }
}

const isAlive = async (broker: Part, { refresh_token = '' }: { refresh_token?: string }) =>
  (await tokenRequest(broker, { grant_type: 'refresh_token', refresh_token })).status === 200

/** The user signs out at the provider, by another of its apps or by its own page. */
const signOutThere = (there: UpstreamBrowser) =>
  there.visit(
    `${upstream.issuer}/session/end?client_id=${upstreamClient.id}&post_logout_redirect_uri=${issuer}/logout/callback`,
  )

const post = (broker: Part, body: Record<string, string>, path = '/dex/backchannel-logout/keycloak') =>
  openBrowser(broker).post(path, body)

test('a sign-out at the provider ends the broker’s session, its tokens, and is passed on to the client', async () => {
  const opened = await world()
  const [there, elsewhere] = [
    openUpstreamBrowser(upstream, { login: 'ada' }),
    openUpstreamBrowser(upstream, { login: 'ada' }),
  ]
  const { browser, tokens } = await signInThrough(opened, there)
  const other = await signInThrough(opened, elsewhere)
  await signOutThere(there)
  expect(opened.received).toHaveLength(1)
  expect(await isAlive(opened.broker, tokens)).toBe(false)
  const userInfo = await browser.get('/dex/userinfo', { authorization: `Bearer ${tokens.access_token}` })
  expect(userInfo.status).toBe(403)
  expect(opened.requests.map(({ url, token }) => [url, claimsOf(token)['sid']])).toEqual([
    [told, claimsOf(tokens.id_token)['sid']],
  ])
  expect(await isAlive(opened.broker, other.tokens)).toBe(true)
})

test('what the client is told is a logout token of the broker for it', async () => {
  const opened = await world()
  const browser = openBrowser(opened.broker)
  const tokens = await redeem(opened.broker, await signIn(browser))
  await browser.get(`/dex/logout?id_token_hint=${tokens.id_token}`)
  const token = opened.requests[0]?.token ?? ''
  const keys = parseKeySet(await (await browser.get('/dex/keys')).json())
  const nowSeconds = Math.floor(opened.clock.now() / 1000)
  expect(verifyJwt(token, keys, { issuer, audiences: [client.id], nowSeconds, skewSeconds: 0 }).ok).toBe(true)
  expect(claimsOf(token)).toEqual({
    exp: nowSeconds + 120,
    iat: nowSeconds,
    jti: expect.any(String),
    iss: issuer,
    aud: client.id,
    sub: claimsOf(tokens.id_token)['sub'],
    sid: claimsOf(tokens.id_token)['sid'],
    events: { 'http://schemas.openid.net/event/backchannel-logout': {} },
  })
})

test('a path is one on the issuer’s host; who asks for nothing is told nothing', async () => {
  const opened = await world({ staticClients: [{ ...client, backchannelLogoutURI: '/oauth2/backchannel-logout' }] })
  const browser = openBrowser(opened.broker)
  const tokens = await redeem(opened.broker, await signIn(browser))
  await browser.get(`/dex/logout?id_token_hint=${tokens.id_token}`)
  expect(opened.requests.map(({ url }) => url)).toEqual([`${new URL(issuer).origin}/oauth2/backchannel-logout`])
  const silent = await world({ staticClients: [proxyClient] })
  const quiet = openBrowser(silent.broker)
  const hint = await redeem(silent.broker, await signIn(quiet))
  await quiet.get(`/dex/logout?id_token_hint=${hint.id_token}`)
  expect(silent.requests).toEqual([])
})

test('a logout token is taken once, answers tell no cache to keep them', async () => {
  const opened = await world()
  const there = openUpstreamBrowser(upstream, { login: 'ada' })
  await signInThrough(opened, there)
  upstream.callClient = async (_url, init) => {
    opened.received.push(new URLSearchParams(String(init.body)).get('logout_token') ?? '')
    return new Response()
  }
  await signOutThere(there)
  const logout_token = opened.received[0] ?? ''
  const first = await post(opened.broker, { logout_token })
  expect([first.status, first.headers.get('cache-control')]).toEqual([200, 'no-store'])
  const second = await post(opened.broker, { logout_token })
  expect([second.status, second.headers.get('cache-control')]).toEqual([400, 'no-store'])
  expect(await second.json()).toMatchObject({ error: 'invalid_request' })
})

test('an ID token, a token for nobody here, and none at all are refused, and end nothing', async () => {
  const opened = await world()
  const { tokens } = await signInThrough(opened, openUpstreamBrowser(upstream, { login: 'ada' }))
  for (const body of [{ logout_token: tokens.id_token }, { logout_token: 'x.y.z' }, {}]) {
    expect((await post(opened.broker, body)).status).toBe(400)
  }
  expect((await post(opened.broker, { logout_token: tokens.id_token }, '/dex/backchannel-logout/nobody')).status).toBe(
    404,
  )
  expect((await post(opened.broker, { logout_token: tokens.id_token }, '/dex/backchannel-logout/local')).status).toBe(
    404,
  )
  expect(await isAlive(opened.broker, tokens)).toBe(true)
})
