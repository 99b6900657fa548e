import { expect, test } from 'vitest'
import { issuer, proxyWorld } from './proxy-world.ts'

const clearedCookie = 'oauth2_proxy_kubeflow=; Path=/; Max-Age=0; HttpOnly; Secure; SameSite=Lax'

test.each(['/oauth2/sign_out', '/authservice/logout', '/logout'])(
  'a link to %s ends the session here, then at the provider, and comes back to a page that says so',
  async (path) => {
    const { browser, signIn } = await proxyWorld()
    await signIn()
    const out = await browser.get(path)
    expect(out.status).toBe(302)
    expect(out.headers.getSetCookie()).toEqual([clearedCookie])
    const location = out.headers.get('location') ?? ''
    expect(location.split('?')[0]).toBe('/dex/logout')
    const query = new URL(location, 'http://x').searchParams
    expect(query.get('client_id')).toBe('kubeflow-oidc-authservice')
    expect(query.get('id_token_hint')).toMatch(/^ey/)
    expect(query.get('post_logout_redirect_uri')).toBe('/oauth2/callback')

    const page = await browser.get(`/oauth2/callback?state=${query.get('state')}`)
    expect(page.status).toBe(200)
    const text = await page.text()
    expect(text).toContain('You are signed out')
    expect(text).toContain('Sign in again')
  },
)

test('the cookie that was signed out is dead, wherever a copy of it is kept', async () => {
  const { browser, signIn, newBrowser, open } = await proxyWorld()
  await signIn()
  const thief = newBrowser()
  for (const [name, value] of browser.cookies) thief.cookies.set(name, value)
  expect((await thief.check('/x')).status).toBe(200)
  await browser.get('/oauth2/sign_out')
  expect((await thief.check('/x')).status).toBe(403)

  const restarted = await open().check({
    ...{ method: 'GET', path: '/x', host: '', clientAddress: '', requestId: '' },
    headers: { cookie: thief.cookieHeader },
  })
  expect(restarted.status).toBe(403)
})

test('another replica notices within a minute', async () => {
  const { browser, signIn, open, clock } = await proxyWorld()
  await signIn()
  const replica = open()
  const { cookieHeader: cookie } = browser
  const ask = () =>
    replica.check({
      ...{ method: 'GET', path: '/x', host: '', clientAddress: '', requestId: '' },
      headers: { cookie },
    })
  expect((await ask()).status).toBe(200)
  await browser.get('/oauth2/sign_out')
  clock.time += 60_000
  expect((await ask()).status).toBe(403)
})

test('other sessions of the same user live on', async () => {
  const { browser, signIn, newBrowser } = await proxyWorld()
  const phone = newBrowser()
  await signIn('/', phone)
  await signIn()
  await browser.get('/oauth2/sign_out')
  expect((await phone.check('/x')).status).toBe(200)
})

test("the session's ID token is no bearer token any more", async () => {
  const { browser, signIn } = await proxyWorld({ skip_jwt_bearer_tokens: true })
  await signIn()
  const { authorization } = (await browser.check('/x')).headers
  const asMachine = async () => (await browser.check('/api/x', { headers: { authorization, cookie: '' } })).status
  expect(await asMachine()).toBe(200)
  await browser.get('/oauth2/sign_out')
  expect(await asMachine()).toBe(401)
})

test.each([
  ['its old bearer', { authorization: 'Bearer ' }],
  ['Accept', { accept: 'application/json' }],
  ['fetch', { 'sec-fetch-mode': 'cors', 'sec-fetch-site': 'same-origin' }],
])("a dashboard's script gets 201 with the way to go: %s", async (_what, headers) => {
  const { browser, signIn } = await proxyWorld()
  await signIn()
  const answer = await browser.get('/authservice/logout', headers, 'POST')
  expect(answer.status).toBe(201)
  expect(answer.headers.get('content-type')).toBe('application/json')
  const { afterLogoutURL } = (await answer.json()) as { afterLogoutURL: string }
  expect(afterLogoutURL).toMatch(/^\/dex\/logout\?client_id=.*&id_token_hint=ey/)
  expect(answer.headers.getSetCookie()).toEqual([clearedCookie])
})

test('a script may name the session by a bearer instead of the cookie', async () => {
  const { browser, signIn, newBrowser } = await proxyWorld()
  await signIn()
  const session = browser.cookies.get('oauth2_proxy_kubeflow')
  const script = newBrowser()
  const answer = await script.get('/authservice/logout', { authorization: `Bearer ${session}` }, 'POST')
  expect(answer.status).toBe(201)
  expect((await browser.check('/x')).status).toBe(403)
})

test('a script without a session is told where to go, too', async () => {
  const { browser } = await proxyWorld()
  const answer = await browser.get('/logout', { accept: 'application/json', 'sec-fetch-site': 'same-origin' }, 'POST')
  expect(answer.status).toBe(201)
  expect(await answer.text()).not.toContain('id_token_hint')
})

test('another site cannot sign anyone out: a link asks first, a script is refused', async () => {
  const { browser, signIn } = await proxyWorld()
  await signIn()
  const link = await browser.get('/oauth2/sign_out', { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'navigate' })
  expect(link.status).toBe(200)
  expect(await link.text()).toContain('<form class="form" method="post" action="/oauth2/sign_out">')
  const form = await browser.get('/oauth2/sign_out', { origin: 'https://evil.com' }, 'POST')
  expect(form.status).toBe(200)
  for (const headers of [
    { 'sec-fetch-site': 'cross-site' },
    { 'sec-fetch-site': 'same-site' },
    { origin: 'https://e.com' },
  ]) {
    const script = await browser.get('/oauth2/sign_out', { accept: 'application/json', ...headers }, 'POST')
    expect(script.status).toBe(403)
  }
  expect((await browser.check('/x')).status).toBe(200)

  const confirmed = await browser.get('/oauth2/sign_out', { 'sec-fetch-site': 'same-origin' }, 'POST')
  expect(confirmed.status).toBe(303)
  expect((await browser.check('/x')).status).toBe(403)
})

test('a provider that cannot end its session is named honestly', async () => {
  const { browser, signIn, provider } = await proxyWorld()
  provider.endSession = false
  await signIn()
  const out = await browser.get('/oauth2/sign_out?rd=/back')
  expect(out.headers.get('location')).toBe('/oauth2/signed_out?rd=%2Fback')
  const text = await (await browser.get(out.headers.get('location') ?? '')).text()
  expect(text).toContain('offers no way to end its own session')
  expect(text).toContain('name="rd" value="/back"')
})

test('a provider that is down does not keep anyone signed in here', async () => {
  const { browser, signIn, provider } = await proxyWorld()
  await signIn()
  provider.isDown = true
  expect((await browser.get('/oauth2/sign_out')).headers.get('location')).toBe('/oauth2/signed_out')
  expect((await browser.check('/x')).status).toBe(403)
})

test('`rd` is where “sign in again” leads; a foreign one is dropped', async () => {
  const { browser, signIn } = await proxyWorld()
  await signIn()
  const out = await browser.get('/oauth2/sign_out?rd=/page')
  const state = new URL(out.headers.get('location') ?? '', 'http://x').searchParams.get('state')
  expect(state).toBe('/page')
  expect(await (await browser.get('/oauth2/signed_out?state=/page')).text()).toContain('name="rd" value="/page"')
  expect(await (await browser.get('/oauth2/signed_out?state=//evil')).text()).toContain('name="rd" value="/"')
  const evil = await browser.get('/oauth2/sign_out?rd=https://evil.com')
  expect(evil.headers.get('location')).not.toContain('evil')
})

test('a whitelisted absolute `rd` is followed as the original does, without the ID token', async () => {
  const { browser, signIn } = await proxyWorld({ whitelist_domains: ['idp.example.com'] })
  await signIn()
  const rd = encodeURIComponent('https://idp.example.com/logout?t={id_token}')
  const out = await browser.get(`/oauth2/sign_out?rd=${rd}`)
  expect(out.headers.get('location')).toBe('https://idp.example.com/logout?t={id_token}')
})

test('where the provider leads back to the sign-out path itself, that is the end', async () => {
  const { browser, signIn } = await proxyWorld({ post_logout_redirect_url: '/oauth2/sign_out' })
  await signIn()
  const out = await browser.get('/oauth2/sign_out')
  const query = new URL(out.headers.get('location') ?? '', 'http://x').searchParams
  expect(query.get('post_logout_redirect_uri')).toBe('/oauth2/sign_out')
  const end = await browser.get(`/oauth2/sign_out?state=${encodeURIComponent(query.get('state') ?? '')}`)
  expect(await end.text()).toContain('You are signed out')
})

test('the redirect after sign-out is absolute where the redirect URL is', async () => {
  const absolute = { redirect_url: 'https://kubeflow.example.com/oauth2/callback', relative_redirect_url: false }
  const { browser, signIn } = await proxyWorld({ ...absolute, login_url: 'https://dex.example.com/dex/auth' })
  await signIn()
  const location = new URL((await browser.get('/oauth2/sign_out', { host: 'evil.com' })).headers.get('location') ?? '')
  expect(location.origin + location.pathname).toBe('https://dex.example.com/dex/logout')
  expect(location.searchParams.get('post_logout_redirect_uri')).toBe('https://kubeflow.example.com/oauth2/callback')
})

test('the end-session endpoint may be configured', async () => {
  const { browser, signIn } = await proxyWorld({ end_session_url: 'https://idp.example.com/bye?x=1' })
  await signIn()
  expect((await browser.get('/oauth2/sign_out')).headers.get('location')).toMatch(
    /^https:\/\/idp\.example\.com\/bye\?client_id=.*&x=1$/,
  )
})

test('the backend is told, with the ID token, and may fail', async () => {
  const { browser, signIn, provider } = await proxyWorld({ backend_logout_url: `${issuer}/bye?hint={id_token}` })
  await signIn()
  expect((await browser.get('/oauth2/sign_out')).status).toBe(302)
  expect(provider.requests.some((request) => /^GET \/bye\?hint=ey/.test(request))).toBe(true)
})

test('a forged or expired session ends nothing and hints nothing', async () => {
  const { browser, signIn, clock } = await proxyWorld()
  await signIn()
  clock.time += 2 * 86_400_000
  const out = await browser.get('/oauth2/sign_out')
  expect(out.headers.get('location')).not.toContain('id_token_hint')
  expect(out.headers.getSetCookie()).toEqual([clearedCookie])
})

test('every part of a split session is cleared', async () => {
  const { browser, signIn, provider } = await proxyWorld()
  provider.account = { ...provider.account, groups: Array.from({ length: 500 }, (_, index) => `g${index * 7919}`) }
  await signIn()
  const out = await browser.get('/oauth2/sign_out')
  expect(out.headers.get('location')).not.toContain('id_token_hint') // it would not fit into a URL
  expect(out.headers.getSetCookie().map((line) => line.split('=')[0])).toEqual([
    'oauth2_proxy_kubeflow_0',
    'oauth2_proxy_kubeflow_1',
    'oauth2_proxy_kubeflow_2',
    'oauth2_proxy_kubeflow_3',
  ])
  expect(browser.cookies.size).toBe(0)
})

test('sign-out works through a gateway that only asks', async () => {
  const { browser, signIn } = await proxyWorld()
  await signIn()
  const out = await browser.check('/oauth2/sign_out')
  expect([out.status, out.headers['set-cookie']]).toEqual([302, clearedCookie])
  expect((await browser.check('/x')).status).toBe(403)
})

test('a check that was under way during the sign-out does not bring the session back', async () => {
  const { browser, signIn, records, open } = await proxyWorld()
  await signIn()
  const { cookieHeader: cookie } = browser
  const opened = records.journal.bind(records)
  const released = Promise.withResolvers<void>()
  const reached = Promise.withResolvers<void>()
  let isHolding = true
  records.journal = <Entry>(name: string) => {
    const journal = opened<Entry>(name)
    return {
      ...journal,
      async readAfter(position: number) {
        const mustWait = isHolding
        const found = await journal.readAfter(position)
        reached.resolve()
        if (mustWait) await released.promise
        return found
      },
    }
  }
  const proxy = open()
  const request = { method: 'GET', path: '/x', host: 'h', clientAddress: '', requestId: '', headers: { cookie } }
  const underWay = proxy.check(request)
  await reached.promise
  isHolding = false
  await proxy.check({ ...request, path: '/oauth2/sign_out' })
  released.resolve()
  expect((await underWay).status).toBe(403)
  expect((await proxy.check(request)).status).toBe(403)
})

test('the callback without an answer ends a sign-out; who is signed in goes on', async () => {
  const { browser, signIn } = await proxyWorld()
  expect(await (await browser.get('/oauth2/callback')).text()).toContain('You are signed out')
  await signIn()
  const answer = await browser.get('/oauth2/callback')
  expect([answer.status, answer.headers.get('location')]).toEqual([302, '/'])
})
