import { expect, test } from 'vitest'
import { proxyWorld } from './proxy-world.ts'

const refreshRequests = (requests: readonly URLSearchParams[]) =>
  requests.filter((form) => form.get('grant_type') === 'refresh_token')

test('a session whose ID token is dead, with nothing to refresh it, needs a new login', async () => {
  const { browser, signIn, provider, clock } = await proxyWorld()
  provider.tokenLifetime = 300
  await signIn()
  clock.time += 299_000
  expect((await browser.check('/x')).status).toBe(200)
  clock.time += 1000
  expect((await browser.check('/x')).status).toBe(403)
})

test('with a refresh token it is renewed once for all who wait, and the new tokens are sent on', async () => {
  const { browser, signIn, provider, clock } = await proxyWorld()
  provider.tokenLifetime = 300
  provider.refreshTokens = true
  await signIn()
  const before = (await browser.check('/x')).headers['authorization']
  clock.time += 295_000
  const answers = await Promise.all(Array.from({ length: 50 }, () => browser.check('/x')))
  expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]))
  expect(new Set(answers.map(({ headers }) => headers['authorization'])).size).toBe(1)
  expect(answers[0]?.headers['authorization']).not.toBe(before)
  expect(refreshRequests(provider.tokenRequests)).toHaveLength(1)
})

test('the renewed session is used again and again, by every replica, with the newest refresh token', async () => {
  const { browser, signIn, provider, clock, open } = await proxyWorld()
  provider.tokenLifetime = 300
  provider.refreshTokens = true
  await signIn()
  const { cookieHeader: cookie } = browser
  for (let round = 0; round < 3; round += 1) {
    clock.time += 295_000
    expect((await browser.check('/x')).status).toBe(200)
    const replica = await open().check({
      ...{ method: 'GET', path: '/x', host: '', clientAddress: '', requestId: '' },
      headers: { cookie },
    })
    expect(replica.status).toBe(200)
  }
  const used = refreshRequests(provider.tokenRequests).map((form) => form.get('refresh_token'))
  expect(used).toHaveLength(3)
  expect(new Set(used).size).toBe(3)
})

test('renewing does not outlive the cookie', async () => {
  const { browser, signIn, provider, clock } = await proxyWorld({ cookie_expire: '1h' })
  provider.tokenLifetime = 300
  provider.refreshTokens = true
  await signIn()
  for (let minute = 0; minute < 55; minute += 5) {
    clock.time += 5 * 60_000
    expect((await browser.check('/x')).status).toBe(200)
  }
  clock.time += 5 * 60_000
  expect((await browser.check('/x')).status).toBe(403)
})

test('a refresh token the provider no longer takes means a new login', async () => {
  const { browser, signIn, provider, clock } = await proxyWorld()
  provider.tokenLifetime = 300
  provider.refreshTokens = true
  await signIn()
  provider.refreshTokens = false
  clock.time += 301_000
  expect((await browser.check('/x')).status).toBe(403)
})

test('while the provider is down a dead session is neither let in nor thrown away', async () => {
  const { browser, signIn, provider, clock } = await proxyWorld()
  provider.tokenLifetime = 300
  provider.refreshTokens = true
  await signIn()
  clock.time += 301_000
  provider.isDown = true
  const answer = await browser.check('/x')
  expect([answer.status, answer.headers['set-cookie']]).toEqual([503, undefined])
  provider.isDown = false
  expect((await browser.check('/x')).status).toBe(200)
})

test('a refresh that fails early leaves the session alone while its token lives, and is not hammered', async () => {
  const { browser, signIn, provider, clock } = await proxyWorld({ cookie_refresh: '1m' })
  provider.tokenLifetime = 3600
  provider.refreshTokens = true
  await signIn()
  clock.time += 61_000
  provider.isDown = true
  const before = provider.requests.length
  for (let request = 0; request < 20; request += 1) expect((await browser.check('/x')).status).toBe(200)
  expect(provider.requests.length - before).toBe(1)
})

test('cookie_refresh renews a session by its age', async () => {
  const { browser, signIn, provider, clock } = await proxyWorld({ cookie_refresh: '10m' })
  provider.tokenLifetime = 3600
  provider.refreshTokens = true
  await signIn()
  clock.time += 9 * 60_000
  await browser.check('/x')
  expect(refreshRequests(provider.tokenRequests)).toHaveLength(0)
  clock.time += 61_000
  await browser.check('/x')
  expect(refreshRequests(provider.tokenRequests)).toHaveLength(1)
})

test("refreshed tokens of another user are not taken into someone's session", async () => {
  const { browser, signIn, provider, clock } = await proxyWorld()
  provider.tokenLifetime = 300
  provider.refreshTokens = true
  await signIn()
  provider.account = { sub: 'eve', email: 'eve@example.com' }
  clock.time += 301_000
  expect((await browser.check('/x')).status).toBe(403)
})

test('someone who lost the required group loses access when the session is renewed', async () => {
  const { browser, signIn, provider, clock } = await proxyWorld({ allowed_groups: ['ml'] })
  provider.tokenLifetime = 300
  provider.refreshTokens = true
  await signIn()
  provider.account = { ...provider.account, groups: ['others'] }
  clock.time += 301_000
  const answer = await browser.check('/x')
  expect([answer.status, answer.body.includes('which is not allowed here')]).toEqual([403, true])
})

test('a renewed session can be signed out, and its newest ID token is the hint', async () => {
  const { browser, signIn, provider, clock } = await proxyWorld()
  provider.tokenLifetime = 300
  provider.refreshTokens = true
  await signIn()
  clock.time += 295_000
  const renewed = (await browser.check('/x')).headers['authorization']
  const out = await browser.get('/oauth2/sign_out')
  const hint = new URL(out.headers.get('location') ?? '', 'http://x').searchParams.get('id_token_hint')
  expect(`Bearer ${hint}`).toBe(renewed)
})

test('compat looks at the tokens when it refreshes only, as the original does', async () => {
  const { browser, signIn, provider, clock } = await proxyWorld({ compat: true, code_challenge_method: 'S256' })
  provider.tokenLifetime = 300
  await signIn()
  clock.time += 86_000_000
  expect((await browser.check('/x')).status).toBe(200)

  const refreshing = await proxyWorld({
    ...{ compat: true, code_challenge_method: 'S256' },
    cookie_refresh: '10m',
  })
  refreshing.provider.tokenLifetime = 300
  refreshing.provider.refreshTokens = true
  await refreshing.signIn()
  refreshing.clock.time += 599_000
  expect((await refreshing.browser.check('/x')).status).toBe(200)
  expect(refreshRequests(refreshing.provider.tokenRequests)).toHaveLength(0)
  refreshing.provider.isDown = true
  refreshing.clock.time += 1000
  expect((await refreshing.browser.check('/x')).status).toBe(503)
})

test.each(['cookie', 'sqlite'])(
  'signing in again in the same session of the provider is no sign-out (%s)',
  async (type) => {
    const { browser, signIn, provider, proxy } = await proxyWorld({ session_store_type: type })
    provider.account = { ...provider.account, sid: 'one' }
    await signIn()
    const { cookieHeader: cookie } = browser
    const ask = () =>
      proxy.check({ ...{ method: 'GET', path: '/x', host: '', clientAddress: '', requestId: '' }, headers: { cookie } })
    expect((await ask()).status).toBe(200)
    await signIn()
    expect((await browser.check('/x')).status).toBe(200)
    // The cookie is the session; a ticket is exchanged for another.
    expect((await ask()).status).toBe(type === 'cookie' ? 200 : 403)
  },
)
