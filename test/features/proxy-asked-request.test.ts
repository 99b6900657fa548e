import { expect, test } from 'vitest'
import { ada, proxyWorld } from './proxy-world.ts'

/** The client of these tests comes from 10.0.0.9. */
const behindFront = { reverse_proxy: true, trusted_proxy_ips: ['10.0.0.0/8'] }
const skipping = { ...behindFront, skip_auth_routes: ['GET=^/open/', '!=^/closed'] }
const page = { accept: 'text/html' }

/** What `/oauth2/auth` says when a server in front sends these headers. */
async function askAuth(headers: Record<string, string>, settings: Record<string, unknown> = skipping) {
  const { browser } = await proxyWorld(settings)
  return (await browser.get('/oauth2/auth', headers)).status
}

test.each([
  ['Traefik and Caddy', { 'x-forwarded-method': 'GET', 'x-forwarded-uri': '/open/a?b' }],
  ['ingress-nginx', { 'x-original-method': 'GET', 'x-original-url': 'https://apps.example.com/open/a?b' }],
  ['a path instead of a URL', { 'x-original-method': 'get', 'x-original-uri': '/open/a' }],
])('the request that is asked about is known from the headers of %s', async (_who, headers) => {
  const onlyOpen = { ...behindFront, skip_auth_routes: ['GET=^/open/'] }
  expect(await askAuth(headers, onlyOpen)).toBe(202)
  expect(await askAuth(headers, { ...onlyOpen, trusted_proxy_ips: ['192.168.0.1'] })).toBe(401)
})

test('a client cannot name another request beside the one the server in front names', async () => {
  const real = { 'x-original-method': 'POST', 'x-original-url': 'https://apps.example.com/closed' }
  expect(await askAuth({ ...real, 'x-forwarded-uri': '/open/a' })).toBe(401)
  expect(await askAuth({ ...real, 'x-forwarded-uri': '/open/a', 'x-forwarded-method': 'GET' })).toBe(401)
  expect(await askAuth({ 'x-forwarded-method': 'GET', 'x-forwarded-uri': '/open/a, /closed' })).toBe(401)
})

test('where it is not known what is asked about, no rule lets it pass', async () => {
  expect(await askAuth({})).toBe(401)
  expect(await askAuth({ 'x-forwarded-method': 'GET' })).toBe(401)
  const onlyGet = { ...behindFront, skip_auth_routes: ['GET=^/open/'] }
  expect(await askAuth({ 'x-forwarded-uri': '/open/a' }, onlyGet)).toBe(401)
  expect(await askAuth({ 'x-forwarded-uri': '/open/a', 'x-forwarded-method': 'POST' }, onlyGet)).toBe(401)
})

test('with `compat` the question itself is judged, as the original does', async () => {
  expect(await askAuth({}, { ...skipping, compat: true })).toBe(202)
  expect(await askAuth({ 'x-forwarded-uri': '/open/a' }, { ...skipping, compat: true })).toBe(202)
})

test('/forward_auth answers as the request itself would be answered: page, redirect, 401 for programs', async () => {
  const asked = { 'x-forwarded-method': 'GET', 'x-forwarded-uri': '/deep/page?a=1&b=2' }
  const withPage = await proxyWorld(behindFront)
  const signIn = await withPage.browser.get('/oauth2/forward_auth', { ...asked, ...page })
  expect(signIn.status).toBe(403)
  expect(await signIn.text()).toContain('name="rd" value="/deep/page?a=1&amp;b=2"')

  const { browser, provider } = await proxyWorld({ ...behindFront, skip_provider_button: true })
  const redirect = await browser.get('/oauth2/forward_auth', { ...asked, ...page })
  expect(redirect.status).toBe(302)
  const callback = provider.signIn(redirect.headers.get('location') ?? '')
  expect((await browser.get(callback)).headers.get('location')).toBe('/deep/page?a=1&b=2')
  const passed = await browser.get('/oauth2/forward_auth', { ...asked, ...page })
  expect([passed.status, passed.headers.get('x-auth-request-email')]).toEqual([202, ada.email])
  browser.cookies.clear()

  for (const program of [
    { 'sec-fetch-mode': 'cors' },
    { upgrade: 'websocket' },
    { 'sec-websocket-key': 'x3JJHMbDL1EzLkh9GBhXDg==' },
    { accept: 'image/*' },
  ]) {
    const refused = await browser.get('/oauth2/forward_auth', { ...asked, ...program })
    expect([refused.status, await refused.json()]).toEqual([
      401,
      { error: 'login_required', login_url: '/oauth2/start' },
    ])
    expect(refused.headers.get('www-authenticate')).toBe('Bearer')
  }
  const api = await browser.get('/oauth2/forward_auth', { ...page, ...asked, 'x-forwarded-uri': '/api/v1' })
  expect([api.status, await api.text()]).toEqual([401, '{}'])
})

test('/forward_auth lets nobody pass who does not come through a trusted proxy, or is not asked about', async () => {
  const asked = { 'x-forwarded-method': 'GET', 'x-forwarded-uri': '/open/a' }
  const { browser, signIn } = await proxyWorld({ ...skipping, trusted_proxy_ips: ['192.168.0.1'] })
  await signIn()
  const refused = await browser.get('/oauth2/forward_auth', asked)
  expect([refused.status, await refused.text()]).toEqual([400, expect.stringContaining('trusted_proxy_ips')])
  const trusted = await proxyWorld(skipping)
  expect((await trusted.browser.get('/oauth2/forward_auth', { 'x-forwarded-uri': '/open/a' })).status).toBe(400)
  expect((await trusted.browser.get('/oauth2/forward_auth', asked)).status).toBe(202)
})

test('a 401 names its scheme, and what is wrong with a token that ended', async () => {
  const { browser } = await proxyWorld()
  const challenge = async (headers: Record<string, string>) =>
    (await browser.get('/oauth2/auth', headers)).headers.get('www-authenticate')
  expect(await challenge({})).toBe('Bearer')
  expect(await challenge({ authorization: `Bearer gha_${'a'.repeat(43)}` })).toBe('Bearer error="invalid_token"')
  const strict = await proxyWorld({ compat: true })
  expect((await strict.browser.get('/oauth2/auth')).headers.get('www-authenticate')).toBeNull()
})
