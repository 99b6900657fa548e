import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { ada, proxyWorld } from './proxy-world.ts'

test('/auth is 202 with the identity for a session and 401 without, and may be cached', async () => {
  const { browser, signIn } = await proxyWorld()
  const refused = await browser.get('/oauth2/auth', { accept: 'application/json' })
  expect([refused.status, await refused.text()]).toEqual([401, 'Unauthorized\n'])
  await signIn()
  const passed = await browser.get('/oauth2/auth')
  expect([passed.status, await passed.text()]).toEqual([202, ''])
  expect(passed.headers.get('x-auth-request-email')).toBe(ada.email)
  expect(passed.headers.get('cache-control')).toBeNull()
})

test('/auth is 401 for someone who may not enter and 403 where only the query refuses', async () => {
  const denied = await proxyWorld({ allowed_groups: ['ops'] })
  await denied.signIn()
  expect((await denied.browser.get('/oauth2/auth?allowed_groups=ml')).status).toBe(401)
  const { browser, signIn } = await proxyWorld()
  await signIn()
  const status = async (query: string) => (await browser.get(`/oauth2/auth?${query}`)).status
  expect(await status('allowed_groups=a,ml')).toBe(202)
  expect(await status('allowed_groups=a')).toBe(403)
  expect(await status('allowed_email_domains=*.example.com')).toBe(202)
  expect(await status('allowed_emails=eve@example.com')).toBe(403)
})

test('an empty constraint, such as an unset nginx variable leaves, lets nobody through', async () => {
  const { browser, signIn } = await proxyWorld()
  await signIn()
  expect((await browser.get('/oauth2/auth?allowed_groups=')).status).toBe(403)
  expect((await browser.get('/oauth2/auth?allowed_groups=,')).status).toBe(403)
})

test('/auth honours skip routes by X-Forwarded-Uri only from a trusted proxy', async () => {
  const uri = { 'x-forwarded-uri': '/dex/keys' }
  const nobody = await proxyWorld({ reverse_proxy: true })
  expect((await nobody.browser.get('/oauth2/auth', uri)).status).toBe(401)
  const elsewhere = await proxyWorld({ reverse_proxy: true, trusted_proxy_ips: ['192.168.0.0/16'] })
  expect((await elsewhere.browser.get('/oauth2/auth', uri)).status).toBe(401)
  const trusted = await proxyWorld({ reverse_proxy: true, trusted_proxy_ips: ['10.0.0.0/8', '::1'] })
  expect((await trusted.browser.get('/oauth2/auth', uri)).status).toBe(202)
  expect((await trusted.browser.get('/oauth2/auth', { 'x-forwarded-uri': '/admin?/dex/' })).status).toBe(401)
})

test('/userinfo tells who is signed in', async () => {
  const { browser, signIn } = await proxyWorld()
  expect((await browser.get('/oauth2/userinfo')).status).toBe(401)
  await signIn()
  const answer = await browser.get('/oauth2/userinfo')
  expect(await answer.json()).toEqual({
    user: ada.sub,
    email: ada.email,
    groups: ['ml', 'admins'],
    preferredUsername: 'ada',
  })
  expect(answer.headers.get('cache-control')).toContain('no-store')
})

test('/sign_in is the page, with a target, and clears the session', async () => {
  const { browser, signIn } = await proxyWorld()
  await signIn()
  const answer = await browser.get('/oauth2/sign_in?rd=/page')
  expect(answer.status).toBe(200)
  expect(await answer.text()).toContain('name="rd" value="/page"')
  expect(answer.headers.getSetCookie()).toEqual([
    'oauth2_proxy_kubeflow=; Path=/; Max-Age=0; HttpOnly; Secure; SameSite=Lax',
  ])
  expect(await (await browser.get('/oauth2/sign_in')).text()).toContain('name="rd" value="/"')
})

test('/sign_in without a button starts the login', async () => {
  const { browser } = await proxyWorld({ skip_provider_button: true })
  expect((await browser.get('/oauth2/sign_in')).headers.get('location')).toMatch(/^\/dex\/auth\?/)
})

test('the page shows logo, banner and footer, and `-` shows none', async () => {
  const plain = await (await (await proxyWorld({ banner: '-', footer: '-' })).browser.get('/oauth2/sign_in')).text()
  expect(plain).not.toContain('<p class="brand">')
  const settings = {
    custom_sign_in_logo: 'https://corp.example/logo.svg',
    banner: '<b>Corp</b>',
    footer: 'Ask IT',
    provider_display_name: '<Dex>',
  }
  const text = await (await (await proxyWorld(settings)).browser.get('/oauth2/sign_in')).text()
  expect(text).toContain('<img src="https://corp.example/logo.svg" alt=""')
  expect(text).toContain('<b>Corp</b>')
  expect(text).toContain('Ask IT')
  expect(text).toContain('Sign in with &lt;Dex&gt;')
})

test('pages may not be framed, cached or scripted', async () => {
  const { browser } = await proxyWorld({ email_domains: ['corp.com'] })
  const paths = ['/oauth2/sign_in', '/oauth2/signed_out', '/oauth2/callback?code=x', '/anything']
  for (const path of paths) {
    const { headers } = await browser.get(path)
    expect(headers.get('content-security-policy'), path).toContain("frame-ancestors 'none'")
    expect(headers.get('content-security-policy'), path).toContain("script-src 'self'")
    expect(headers.get('cache-control'), path).toContain('no-store')
    expect(headers.get('x-content-type-options'), path).toBe('nosniff')
  }
})

test('probes, robots and the shared files are answered on the own listener', async () => {
  const { browser } = await proxyWorld()
  const text = async (path: string) => {
    const answer = await browser.get(path)
    return [answer.status, await answer.text()]
  }
  expect(await text('/ping')).toEqual([200, 'OK'])
  expect(await text('/ready')).toEqual([200, 'OK'])
  expect(await text('/robots.txt')).toEqual([200, 'User-agent: *\nDisallow: /\n'])
  expect((await browser.get('/oauth2/static/gatehouse.css')).headers.get('content-type')).toBe(
    'text/css; charset=utf-8',
  )
  expect((await browser.get('/oauth2/static/../../etc/passwd')).status).toBe(403)
  expect((await browser.get('/oauth2/static/none.css')).status).toBe(404)
})

test('for a gateway that asks, no probe path or user agent lets anyone in', async () => {
  const { browser } = await proxyWorld({ ping_user_agent: 'HC/1' })
  for (const path of ['/ping', '/ready', '/robots.txt', '/x']) {
    for (const agent of ['HC/1', 'GoogleHC/1.0', 'kube-probe/1.30']) {
      expect((await browser.check(path, { headers: { 'user-agent': agent } })).status, path).toBe(403)
    }
  }
  expect((await browser.get('/oauth2/auth', { 'user-agent': 'HC/1' })).status).toBe(401)
  expect((await browser.get('/ping', { 'user-agent': 'other' })).status).toBe(403)
  expect((await browser.get('/ping', { 'user-agent': 'HC/1' })).status).toBe(200)
})

test('an unknown path under the prefix is like any other', async () => {
  const { browser, signIn } = await proxyWorld()
  expect((await browser.get('/oauth2/nothing')).status).toBe(403)
  await signIn()
  expect((await browser.get('/oauth2/nothing')).status).toBe(200)
})

test('the prefix moves every endpoint', async () => {
  const { browser, signIn } = await proxyWorld({ proxy_prefix: '/login', redirect_url: '/login/callback' })
  expect((await signIn('/page')).headers.get('location')).toBe('/page')
  expect((await browser.get('/login/auth')).status).toBe(202)
  expect(await (await browser.get('/login/sign_in')).text()).toContain('/login/static/gatehouse.css')
})

test('a query that cannot be read is no server error', async () => {
  const { browser } = await proxyWorld()
  for (const path of ['/oauth2/start?rd=%zz;a&b', '/x?a;b', '/oauth2/callback?%', '/oauth2/sign_in?rd=%ff']) {
    expect((await browser.get(path)).status, path).toBeLessThan(500)
  }
})

test('a cookie secret file that holds no key is named with what it holds', async () => {
  const file = join(mkdtempSync(join(tmpdir(), 'gatehouse-secret-')), 'cookie')
  writeFileSync(file, 'too short')
  const open = async () => proxyWorld({ cookie_secret: '', cookie_secret_file: file })
  await expect(open()).rejects.toThrow(`cookie_secret_file: \`${file}\` must hold 16, 24 or 32 bytes, got 9`)
})
