import { expect, test } from 'vitest'
import { logoutEvent } from '../../src/oidc/logout-token.ts'
import { ada, type Browser, foreignKey, issuer, kubeflow, origin, proxyWorld, sign } from './proxy-world.ts'

type World = Awaited<ReturnType<typeof proxyWorld>>

let tokens = 0

/** A logout token of the provider, with changes. */
function logoutToken({ clock }: World, changes: Record<string, unknown> = {}, key?: typeof foreignKey) {
  const iat = Math.floor(clock.time / 1000)
  const claims = { iss: issuer, aud: kubeflow.client_id, iat, exp: iat + 120, jti: `${++tokens}`, sid: 's1' }
  return sign({ ...claims, events: { [logoutEvent]: {} }, ...changes }, key)
}

const post = async ({ proxy }: World, logoutTokens: string | readonly string[]) => {
  const body = new URLSearchParams([logoutTokens].flat().map((one) => ['logout_token', one]))
  return proxy.fetch(new Request(`${origin}/oauth2/backchannel-logout`, { method: 'POST', body }))
}

/** Two browsers of one user, each with a session of its own at the provider. */
async function world(config: Record<string, unknown> = {}) {
  const opened = await proxyWorld({ skip_jwt_bearer_tokens: true, ...config })
  const { provider, browser, newBrowser, signIn } = opened
  provider.refreshTokens = config['cookie_refresh'] !== undefined
  const other = newBrowser()
  provider.account = { ...ada, sid: 's1' }
  await signIn('/', browser)
  provider.account = { ...ada, sid: 's2' }
  await signIn('/', other)
  const bearer = String((await browser.check('/x')).headers['authorization'])
  const asMachine = async () => (await newBrowser().check('/api/x', { headers: { authorization: bearer } })).status
  return { ...opened, other, asMachine }
}

const status = async (browser: Browser) => (await browser.check('/api/x')).status

test('the session the provider names is over at once, with its tokens; another of the same user is not', async () => {
  const opened = await world()
  expect([await status(opened.browser), await opened.asMachine()]).toEqual([200, 200])
  const answer = await post(opened, await logoutToken(opened))
  expect([answer.status, answer.headers.get('cache-control'), await answer.text()]).toEqual([200, 'no-store', ''])
  expect([await status(opened.browser), await opened.asMachine()]).toEqual([401, 401])
  expect(await status(opened.other)).toBe(200)
})

test('a session that keeps no tokens is found all the same', async () => {
  const opened = await world({ session_cookie_minimal: true, set_authorization_header: false })
  expect([await status(opened.browser), await status(opened.other)]).toEqual([200, 200])
  await post(opened, await logoutToken(opened))
  expect([await status(opened.browser), await status(opened.other)]).toEqual([401, 200])
})

test('another replica knows at its next look, one that starts later from the beginning', async () => {
  const opened = await world()
  const [replica, cookie] = [opened.open(), opened.browser.cookieHeader]
  await post(opened, await logoutToken(opened))
  const request = { method: 'GET', path: '/api/x', host: '', clientAddress: '', requestId: '', headers: { cookie } }
  expect((await replica.check(request)).status).toBe(401)
  expect((await opened.open().check(request)).status).toBe(401)
})

test('a user without a session named is signed out everywhere, but not of what begins later', async () => {
  const opened = await world()
  const { provider, browser, other, signIn, clock } = opened
  clock.time += 5000
  const token = await logoutToken(opened, { sid: undefined, sub: ada.sub })
  clock.time += 5000
  const third = opened.newBrowser()
  provider.account = { ...ada, sid: 's3' }
  await signIn('/', third)
  expect((await post(opened, token)).status).toBe(200)
  expect([await status(browser), await status(other), await status(third)]).toEqual([401, 401, 200])
})

test('a session nobody knows is none that lives: 200', async () => {
  const opened = await world()
  expect((await post(opened, await logoutToken(opened, { sid: 'unknown' }))).status).toBe(200)
  expect(await status(opened.browser)).toBe(200)
})

test.each([
  ['for another client', { aud: 'grafana' }],
  ['of another issuer', { iss: 'https://evil.example.com' }],
  ['with a nonce', { nonce: 'n' }],
  ['without the event', { events: {} }],
  ['that has expired', { exp: 1 }],
  ['without jti', { jti: undefined }],
  ['that names nobody', { sid: undefined }],
])('a logout token %s is refused and ends nothing', async (_, changes) => {
  const opened = await world()
  const answer = await post(opened, await logoutToken(opened, changes))
  expect([answer.status, answer.headers.get('cache-control')]).toEqual([400, 'no-store'])
  expect(await answer.json()).toMatchObject({ error: 'invalid_request' })
  expect(await status(opened.browser)).toBe(200)
})

test('a forged one, an ID token, two at once, none, and a GET are refused', async () => {
  const opened = await world()
  const idToken = String((await opened.browser.check('/x')).headers['authorization']).slice('Bearer '.length)
  const good = await logoutToken(opened)
  for (const sent of [await logoutToken(opened, {}, foreignKey), idToken, [good, good], [], 'x.y.z']) {
    expect((await post(opened, sent)).status).toBe(400)
  }
  const got = await opened.newBrowser().get(`/oauth2/backchannel-logout?logout_token=${good}`)
  expect(got.status).toBe(405)
  expect(await status(opened.browser)).toBe(200)
})

test('a logout token is taken once', async () => {
  const opened = await world()
  const token = await logoutToken(opened)
  expect([(await post(opened, token)).status, (await post(opened, token)).status]).toEqual([200, 400])
})

test('while the provider’s keys cannot be had it is asked to send again, and then it counts', async () => {
  const opened = await proxyWorld()
  const token = await logoutToken(opened)
  opened.provider.isDown = true
  const refused = await post(opened, token)
  expect([refused.status, refused.headers.get('retry-after')]).toEqual([503, '5'])
  opened.provider.isDown = false
  opened.clock.time += 60_000
  expect((await post(opened, token)).status).toBe(200)
})

test('through a gateway that only asks it is no leave to pass', async () => {
  const { browser } = await proxyWorld()
  const answer = await browser.check('/oauth2/backchannel-logout', { method: 'POST' })
  expect([answer.status, answer.verdict]).toEqual([400, 'deny'])
})

test('a session whose provider refuses to go on with it is over for its token, too', async () => {
  const { provider, browser, asMachine, proxy, clock } = await world({ cookie_refresh: '1m' })
  const heard = new Promise<void>((resolve) => proxy.ended.onEnded(resolve))
  clock.time += 61_000
  provider.refreshTokens = false
  expect(await asMachine()).toBe(200)
  expect(await status(browser)).toBe(401)
  await heard
  expect(await asMachine()).toBe(401)
})

test('where the provider goes on with a session that was signed out here, signing in again works at once', async () => {
  const { provider, browser, signIn, clock, asMachine } = await world()
  clock.time += 1000
  await browser.get('/oauth2/sign_out')
  expect([await status(browser), await asMachine()]).toEqual([401, 401])
  provider.account = { ...ada, sid: 's1' }
  await signIn('/', browser)
  expect([await status(browser), await asMachine()]).toEqual([200, 401])
})
