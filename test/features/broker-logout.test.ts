import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import type { Part } from '../../src/http/part.ts'
import {
  openUpstream,
  openUpstreamBrowser,
  type Upstream,
  type UpstreamBrowser,
  upstreamClient,
} from './broker-upstream.ts'
import {
  authPath,
  type Browser,
  issuer,
  openBrowser,
  openWorld,
  proxyClient,
  redeem,
  signIn,
  testClock,
  tokenRequest,
  user,
} from './broker-world.ts'

let upstream: Upstream
beforeAll(async () => {
  upstream = await openUpstream(issuer)
})
afterAll(() => upstream.close())
beforeEach(() => {
  upstream.isDown = false
  upstream.users.set('ada', { email: 'ada@example.com', name: 'Ada', preferred_username: 'ada', groups: [] })
})

const client = { ...proxyClient, postLogoutRedirectURIs: ['/oauth2/sign_in', 'https://app.example.com/bye'] }
const local = { staticClients: [client] }

function logoutPath(parameters: Record<string, string>): string {
  return `/dex/logout?${new URLSearchParams(parameters)}`
}

const isAlive = async (broker: Part, tokens: { refresh_token?: string }) => {
  const form = { grant_type: 'refresh_token', refresh_token: tokens.refresh_token ?? '' }
  return (await tokenRequest(broker, form)).status === 200
}

test('the application’s sign-out ends the session, its refresh tokens and its use at userinfo, and goes where it may', async () => {
  const { broker } = await openWorld(local)
  const browser = openBrowser(broker)
  const tokens = await redeem(broker, await signIn(browser))
  const answer = await browser.get(
    logoutPath({ id_token_hint: tokens.id_token, post_logout_redirect_uri: '/oauth2/sign_in', state: 'x&y' }),
  )
  expect([answer.status, answer.headers.get('location')]).toEqual([303, '/oauth2/sign_in?state=x%26y'])
  expect(browser.cookies.has('dex_session')).toBe(false)
  expect(await isAlive(broker, tokens)).toBe(false)
  const userInfo = await browser.get('/dex/userinfo', { authorization: `Bearer ${tokens.access_token}` })
  expect(userInfo.status).toBe(403)
})

test('a code not yet redeemed dies with the session', async () => {
  const { broker } = await openWorld(local)
  const browser = openBrowser(broker)
  const { id_token } = await redeem(broker, await signIn(browser))
  const code = await signIn(browser)
  await browser.get(logoutPath({ id_token_hint: id_token }))
  const form = { grant_type: 'authorization_code', code, redirect_uri: '/oauth2/callback' }
  expect((await tokenRequest(broker, form)).status).toBe(400)
})

test('one sign-out ends what every application got in that browser, and nothing in another', async () => {
  const other = { id: 'mlflow', secret: 's', name: 'MLflow', redirectURIs: ['https://mlflow.example.com/cb'] }
  const { broker } = await openWorld({ staticClients: [client, other] })
  const browser = openBrowser(broker)
  const first = await redeem(broker, await signIn(browser))
  const redirect_uri = 'https://mlflow.example.com/cb'
  const code = await signIn(browser, { client_id: other.id, redirect_uri })
  const second = await tokenRequest(broker, { grant_type: 'authorization_code', code, redirect_uri }, other)
  const elsewhere = await redeem(broker, await signIn(openBrowser(broker)))
  await browser.get(logoutPath({ id_token_hint: first.id_token }))
  const { refresh_token } = (await second.json()) as { refresh_token: string }
  expect((await tokenRequest(broker, { grant_type: 'refresh_token', refresh_token }, other)).status).toBe(400)
  expect(await isAlive(broker, elsewhere)).toBe(true)
})

test('without a hint, with a foreign or a broken one, nobody is signed out before they say so', async () => {
  const { broker } = await openWorld(local)
  const browser = openBrowser(broker)
  const tokens = await redeem(broker, await signIn(browser))
  const foreign = await redeem(broker, await signIn(openBrowser(broker)))
  const { broker: stranger } = await openWorld(local)
  const forged = await redeem(stranger, await signIn(openBrowser(stranger)))
  const hints = ['', 'x', foreign.id_token, forged.id_token, `${tokens.id_token.slice(0, -4)}AAAA`]
  for (const id_token_hint of hints) {
    const answer = await browser.get(logoutPath({ id_token_hint, post_logout_redirect_uri: '/oauth2/sign_in' }))
    expect([answer.status, answer.headers.get('location')]).toEqual([200, null])
    expect(await answer.text()).toContain('Do you want to sign out?')
  }
  expect(await isAlive(broker, foreign)).toBe(true)
  const userInfo = await browser.get('/dex/userinfo', { authorization: `Bearer ${tokens.access_token}` })
  expect(userInfo.status).toBe(200)
})

test('the confirmation page signs out when its own form is sent, not when another site sends one', async () => {
  const { broker } = await openWorld(local)
  const browser = openBrowser(broker)
  const tokens = await redeem(broker, await signIn(browser))
  const ask = () => browser.get(logoutPath({ client_id: client.id, post_logout_redirect_uri: '/oauth2/sign_in' }))
  const confirm = /name="confirm" value="([^"]+)"/.exec(await (await ask()).text())?.[1] ?? ''

  const attacker = openBrowser(broker)
  await redeem(broker, await signIn(attacker))
  const theirs = /name="confirm" value="([^"]+)"/.exec(await (await attacker.get('/dex/logout')).text())?.[1] ?? ''
  for (const forged of ['', 'x', theirs]) {
    expect(await (await browser.post('/dex/logout', { confirm: forged })).text()).toContain('Do you want to sign out?')
  }
  const answer = await browser.post('/dex/logout', { confirm })
  expect(answer.headers.get('location')).toBe('/oauth2/sign_in')
  expect(await isAlive(broker, tokens)).toBe(false)
})

test('who confirms for one session what an application asked for another ends both', async () => {
  const { broker } = await openWorld({
    ...local,
    staticPasswords: [user, { ...user, email: 'b@example.com', userID: '2' }],
  })
  const browser = openBrowser(broker)
  const first = await redeem(broker, await signIn(browser))
  const second = await redeem(broker, await signIn(browser, {}, { login: 'b@example.com', password: 'password' }))
  expect(await isAlive(broker, { ...first })).toBe(true)
  const page = await (await browser.get(logoutPath({ id_token_hint: first.id_token }))).text()
  await browser.post('/dex/logout', { confirm: /name="confirm" value="([^"]+)"/.exec(page)?.[1] ?? '' })
  const alive = await Promise.all(
    [first, second].map(({ access_token }) =>
      browser.get('/dex/userinfo', { authorization: `Bearer ${access_token}` }),
    ),
  )
  expect(alive.map(({ status }) => status)).toEqual([403, 403])
})

test('an expired hint signs out the browser it belongs to, and asks in any other', async () => {
  const { broker, clock } = await openWorld({ ...local, expiry: { idTokens: '1h', signingKeys: '1000h' } })
  const browser = openBrowser(broker)
  const tokens = await redeem(broker, await signIn(browser))
  clock.advance(2 * 3_600_000)
  const path = logoutPath({ id_token_hint: tokens.id_token, post_logout_redirect_uri: '/oauth2/sign_in' })
  const elsewhere = await openBrowser(broker).get(path)
  expect([elsewhere.status, elsewhere.headers.get('location')]).toEqual([200, null])
  expect(await isAlive(broker, tokens)).toBe(true)
  expect((await browser.get(path)).headers.get('location')).toBe('/oauth2/sign_in')
})

test('a refresh token that is never to expire dies with a sign-out months later, for good', async () => {
  const { broker, clock } = await openWorld(local)
  const browser = openBrowser(broker)
  const first = await redeem(broker, await signIn(browser))
  const day = 24 * 3_600_000
  clock.advance(200 * day)
  const form = { grant_type: 'refresh_token', refresh_token: first.refresh_token ?? '' }
  const second = (await (await tokenRequest(broker, form)).json()) as typeof first
  await openBrowser(broker).get(logoutPath({ id_token_hint: second.id_token }))
  clock.advance(10 * day)
  expect(await isAlive(broker, second)).toBe(false)
})

test('only a registered text is followed after signing out', async () => {
  const evil = [
    'https://evil.example.com', '//evil.example.com', '/oauth2/sign_in/', '/oauth2/sign_in?x=1', 'https://app.example.com/bye/..',
    'https://app.example.com@evil.example.com/bye', 'https://app.example.com/bye#x', '\\\\evil.example.com', 'javascript:alert(1)',
    '/oauth2/callback', '/oauth2/sign_in%0d%0aset-cookie:x', 'https://app.example.com/bye\t', 'HTTPS://app.example.com/bye',
  ] // biome-ignore format: a list of names
  const { broker } = await openWorld(local)
  for (const post_logout_redirect_uri of evil) {
    const browser = openBrowser(broker)
    const tokens = await redeem(broker, await signIn(browser))
    const answer = await browser.get(logoutPath({ id_token_hint: tokens.id_token, post_logout_redirect_uri }))
    expect([answer.status, answer.headers.get('location')], post_logout_redirect_uri).toEqual([200, null])
    expect(await answer.text()).toContain('You are signed out')
  }
})

test('/logout/callback goes nowhere but where it was sealed to go', async () => {
  const { broker } = await openWorld(local)
  const browser = openBrowser(broker)
  for (const state of ['', 'x', 'https://evil.example.com']) {
    const answer = await browser.get(`/dex/logout/callback?${new URLSearchParams({ state })}`)
    expect([answer.status, answer.headers.get('location')]).toEqual([200, null])
  }
})

test('signing in again continues this browser’s session under a new cookie', async () => {
  const { broker } = await openWorld(local)
  const browser = openBrowser(broker)
  const first = await redeem(broker, await signIn(browser))
  const before = browser.cookies.get('dex_session') ?? ''
  const second = await redeem(broker, await signIn(browser))
  const after = browser.cookies.get('dex_session') ?? ''
  expect(after.split('.')[0]).toBe(before.split('.')[0])
  expect(after).not.toBe(before)
  await browser.get(logoutPath({ id_token_hint: second.id_token }))
  expect(await isAlive(broker, first)).toBe(false)
})

test('a session another planted in the browser is not taken over', async () => {
  const { broker } = await openWorld(local)
  const attacker = openBrowser(broker)
  await signIn(attacker)
  const planted = attacker.cookies.get('dex_session') ?? ''
  const victim = openBrowser(broker)
  victim.cookies.set('dex_session', planted)
  const tokens = await redeem(broker, await signIn(victim))
  attacker.cookies.set('dex_session', planted)
  expect(await (await attacker.get('/dex/logout')).text()).toContain('You are signed out')
  expect(await isAlive(broker, tokens)).toBe(true)
})

function keycloak(config: Record<string, unknown> = {}) {
  const connector = {
    type: 'oidc',
    id: 'keycloak',
    name: 'Keycloak',
    config: { issuer: upstream.issuer, clientID: upstreamClient.id, clientSecret: upstreamClient.secret, ...config },
  }
  return { ...local, enablePasswordDB: false, staticPasswords: [], connectors: [connector] }
}

async function signInUpstream(browser: Browser, person: UpstreamBrowser): Promise<string> {
  const { response } = await browser.follow(authPath())
  const back = new URL(await person.visit(response.headers.get('location') ?? ''))
  const answer = await browser.get(`${back.pathname}${back.search}`)
  return new URL(answer.headers.get('location') ?? '', issuer).searchParams.get('code') ?? ''
}

test('signing out reaches the identity provider and comes back to the application', async () => {
  const { broker } = await openWorld(keycloak(), { clock: testClock(Date.now()), fetch: upstream.fetch })
  const browser = openBrowser(broker)
  const person = openUpstreamBrowser(upstream, { login: 'ada' })
  const tokens = await redeem(broker, await signInUpstream(browser, person))
  expect(person.wasAsked()).toBe(true)
  await signInUpstream(browser, person)
  expect(person.wasAsked(), 'still signed in upstream').toBe(false)

  const away = await browser.get(
    logoutPath({ id_token_hint: tokens.id_token, post_logout_redirect_uri: 'https://app.example.com/bye', state: 's' }),
  )
  const upstreamLogout = new URL(away.headers.get('location') ?? '')
  expect(upstreamLogout.origin).toBe(upstream.issuer)
  expect(Object.keys(Object.fromEntries(upstreamLogout.searchParams))).toEqual([
    'id_token_hint',
    'post_logout_redirect_uri',
    'state',
    'client_id',
  ])
  const back = new URL(await person.visit(upstreamLogout.href))
  expect(`${back.origin}${back.pathname}`).toBe(`${issuer}/logout/callback`)
  const end = await browser.get(`${back.pathname}${back.search}`)
  expect([end.status, end.headers.get('location')]).toEqual([303, 'https://app.example.com/bye?state=s'])

  expect(await isAlive(broker, tokens)).toBe(false)
  await signInUpstream(browser, person)
  expect(person.wasAsked(), 'signed out upstream').toBe(true)
})

test('signing out twice reaches the identity provider twice, in case the first time did not get there', async () => {
  const { broker } = await openWorld(keycloak(), { clock: testClock(Date.now()), fetch: upstream.fetch })
  const browser = openBrowser(broker)
  const tokens = await redeem(broker, await signInUpstream(browser, openUpstreamBrowser(upstream, { login: 'ada' })))
  const path = logoutPath({ id_token_hint: tokens.id_token })
  const [first, second] = [await browser.get(path), await browser.get(path)].map(
    (answer) => new URL(answer.headers.get('location') ?? '').searchParams.get('id_token_hint') ?? 'none',
  )
  expect(first).toMatch(/^eyJ/)
  expect(second).toBe(first)
})

test('with the identity provider down the session ends here, and the page says what did not', async () => {
  const { broker, reopen } = await openWorld(keycloak(), { clock: testClock(Date.now()), fetch: upstream.fetch })
  const browser = openBrowser(broker)
  const tokens = await redeem(broker, await signInUpstream(browser, openUpstreamBrowser(upstream, { login: 'ada' })))
  upstream.isDown = true
  const restarted = openBrowser(await reopen())
  for (const [name, value] of browser.cookies) restarted.cookies.set(name, value)
  const answer = await restarted.get(logoutPath({ id_token_hint: tokens.id_token }))
  expect([answer.status, answer.headers.get('location')]).toEqual([200, null])
  expect(await answer.text()).toContain('Keycloak could not be reached, so you may still be signed in there.')
  upstream.isDown = false
  expect(await isAlive(broker, tokens)).toBe(false)
})

test('a provider that knows the broker by another host is told that one', async () => {
  const config = keycloak({ redirectURI: 'https://kubeflow.example.com/dex/callback' })
  const { broker } = await openWorld(config, { fetch: upstream.fetch })
  const { response } = await openBrowser(broker).follow(authPath())
  const redirect = new URL(response.headers.get('location') ?? '').searchParams.get('redirect_uri')
  expect(redirect).toBe('https://kubeflow.example.com/dex/callback')
})
