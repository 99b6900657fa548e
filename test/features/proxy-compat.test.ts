import { expect, test } from 'vitest'
import { ada, proxyWorld } from './proxy-world.ts'

const compat = { compat: true, code_challenge_method: 'S256' }

test('--compat: a login whose cookie is gone is a 403, as in oauth2-proxy', async () => {
  const { browser, begin, provider } = await proxyWorld(compat)
  const callback = await begin('/page')
  browser.cookies.clear()
  const answer = await browser.get(callback)
  expect(answer.status).toBe(403)
  expect(await answer.text()).toContain('Unable to find a valid CSRF token.')
  expect(provider.tokenRequests).toHaveLength(0)
})

test('--compat: all logins of a browser share a cookie, so the last one counts', async () => {
  const { browser, begin } = await proxyWorld(compat)
  const first = await begin('/one')
  const second = await begin('/two')
  expect([...browser.cookies.keys()]).toEqual(['oauth2_proxy_kubeflow_csrf'])
  expect((await browser.get(first)).status).toBe(403)
  expect((await browser.get(second)).headers.get('location')).toBe('/two')
})

test('--compat: cookies per login where that is configured, as many as there are', async () => {
  const { browser, begin } = await proxyWorld({ ...compat, cookie_csrf_per_request: true })
  for (let tab = 0; tab < 8; tab += 1) await begin(`/tab${tab}`)
  expect([...browser.cookies.keys()].filter((name) => name.endsWith('_csrf'))).toHaveLength(8)
})

test('--compat: background requests get the page, too, but for those that say JSON', async () => {
  const { browser } = await proxyWorld(compat)
  expect((await browser.check('/x', { headers: { 'sec-fetch-mode': 'cors' } })).status).toBe(403)
  expect((await browser.check('/x', { headers: { accept: 'application/json' } })).status).toBe(401)
})

test('--compat: PKCE and the nonce are sent where they are configured', async () => {
  const sent = async (settings: Record<string, unknown>) => {
    const { browser } = await proxyWorld({ compat: true, ...settings })
    const started = await browser.get('/oauth2/start')
    return [...new URL(started.headers.get('location') ?? '', 'http://x').searchParams.keys()]
  }
  expect(await sent({})).toEqual(['approval_prompt', 'client_id', 'redirect_uri', 'response_type', 'scope', 'state'])
  expect(await sent({ insecure_oidc_skip_nonce: false, code_challenge_method: 'S256' })).toEqual(
    expect.arrayContaining(['nonce', 'code_challenge', 'code_challenge_method']),
  )
})

test('--compat: an empty constraint lets everyone pass, as in oauth2-proxy; without it, nobody', async () => {
  const old = await proxyWorld(compat)
  await old.signIn()
  expect((await old.browser.get('/oauth2/auth?allowed_groups=')).status).toBe(202)
  const safe = await proxyWorld()
  await safe.signIn()
  expect((await safe.browser.get('/oauth2/auth?allowed_groups=')).status).toBe(403)
})

test('an answer that is posted comes back with its cookie, whichever site it is posted from', async () => {
  const posted = await proxyWorld({ auth_request_response_mode: 'form_post' })
  const cookie = (await posted.browser.get('/oauth2/start')).headers.getSetCookie()[0]
  expect(cookie).toMatch(/; Secure; SameSite=None$/)
  const strict = await proxyWorld({ auth_request_response_mode: 'form_post', cookie_csrf_samesite: 'strict' })
  expect((await strict.browser.get('/oauth2/start')).headers.getSetCookie()[0]).toMatch(/SameSite=Strict$/)
})

test('a sign-in that was cancelled at the provider is said to be that', async () => {
  const { browser, begin, provider } = await proxyWorld()
  const state = new URL(await begin('/page'), 'http://x').searchParams.get('state') ?? ''
  const answer = await browser.get(`/oauth2/callback?${new URLSearchParams({ error: 'access_denied', state })}`)
  expect(answer.status).toBe(403)
  expect(await answer.text()).toContain('The sign-in was cancelled')
  expect(provider.tokenRequests).toHaveLength(0)
})

test.each([
  ['an address with two @', { email: 'ada@evil.com@example.com' }],
  ['an address without a name', { email: '@example.com' }],
  ['a domain that only ends alike', { email: 'ada@badexample.com' }],
])('%s is in no domain', async (_, claims) => {
  for (const domains of [['example.com'], ['.example.com'], ['*.example.com']]) {
    const { signIn, provider } = await proxyWorld({ email_domains: domains })
    provider.account = { ...ada, ...claims }
    expect((await signIn()).status).toBe(403)
  }
})

test('a deep link keeps its query, whatever URL is in it', async () => {
  const { signIn } = await proxyWorld()
  const target = '/notebook/?next=https://hub.example//a/../b&x=%2F%2Fy'
  expect((await signIn(target)).headers.get('location')).toBe(target)
})
