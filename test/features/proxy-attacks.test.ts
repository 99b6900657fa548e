import fc from 'fast-check'
import { expect, test } from 'vitest'
import { proxyWorld } from './proxy-world.ts'

const name = 'oauth2_proxy_kubeflow'

test.each(['/\\evil.com', '/\t/evil.com', '/\r\\evil.com', '/./\\evil.com', '//evil.com', 'https://evil.com'])(
  'rd never leads to another site, at no endpoint that takes it: %j',
  async (rd) => {
    const { browser, signIn } = await proxyWorld()
    const query = `rd=${encodeURIComponent(rd)}`
    expect(await (await browser.get(`/oauth2/sign_in?${query}`)).text()).toContain('name="rd" value="/"')
    expect((await signIn(rd)).headers.get('location')).toBe('/')
    expect((await browser.get(`/oauth2/sign_out?${query}`)).headers.get('location')).not.toContain('evil')
  },
)

test('a target in a forged state is judged again at the callback', async () => {
  const { browser, begin } = await proxyWorld()
  const callback = new URL(await begin('/page'), 'http://x')
  const state = callback.searchParams.get('state') ?? ''
  callback.searchParams.set('state', state.replace(/:.*/, '://evil.com'))
  expect((await browser.get(callback.pathname + callback.search)).headers.get('location')).toBe('/')
})

test.each([
  ['no login cookie', false],
  ["the victim's own login cookie", true],
])("an attacker's code and state sign nobody in, and are not redeemed: %s", async (_what, hasOwnLogin) => {
  const { browser, begin, newBrowser, provider } = await proxyWorld()
  const attack = await begin('/', newBrowser())
  if (hasOwnLogin) await begin('/mine')
  const answer = await browser.get(attack)
  expect(answer.headers.get('location')).toMatch(/^\/dex\/auth\?/)
  expect(browser.cookies.has(name)).toBe(false)
  expect(provider.tokenRequests).toHaveLength(0)
})

test('a used callback signs nobody in', async () => {
  const { browser, begin, newBrowser, provider } = await proxyWorld()
  const callback = await begin('/page')
  const copy = newBrowser()
  for (const [cookie, value] of browser.cookies) copy.cookies.set(cookie, value)
  await browser.get(callback)
  await copy.get(callback)
  expect(copy.cookies.has(name)).toBe(false)
  expect(provider.tokenRequests).toHaveLength(1)
})

test('cookies of one kind are not taken for another', async () => {
  const { browser, signIn, begin } = await proxyWorld({ cookie_expire: '0' })
  const callback = await begin()
  const [[csrfName = '', csrf = ''] = []] = browser.cookies
  await signIn()
  const session = browser.cookies.get(name) ?? ''
  const status = async (cookie: string) => (await browser.check('/api/', { headers: { cookie } })).status
  expect(await status(`${name}=${session}`)).toBe(200)
  expect(await status(`${name}=${csrf}`)).toBe(401)
  expect(await status(`${name}=${csrfName.slice(name.length)}${csrf}`)).toBe(401)
  expect(await status(`other=${session}`)).toBe(401)
  browser.cookies.clear()
  browser.cookies.set(csrfName, session)
  expect((await browser.get(callback)).headers.get('location')).toMatch(/^\/dex\/auth\?/)
})

test('an altered session is a clean refusal, never a server error', async () => {
  const { browser, signIn, open } = await proxyWorld()
  await signIn()
  const session = browser.cookies.get(name) ?? ''
  const [value = '', seconds = '', signature = ''] = session.split('|')
  const proxy = open()
  const status = async (text: string) =>
    (
      await proxy.check({
        ...{ method: 'GET', path: '/api/', host: 'h', clientAddress: '', requestId: '' },
        headers: { cookie: text },
      })
    ).status
  const altered = [
    '',
    '|',
    '||',
    '|||',
    `${value}|${seconds}`,
    `${session}|x`,
    `${value}|${Number(seconds) + 360}|${signature}`,
    `${value}|0${seconds}|${signature}`,
    `${value}|${seconds}.0|${signature}`,
    `${value}|-${seconds}|${signature}`,
    `${value}|${seconds}|`,
    `${value.slice(0, 40)}|${seconds}|${signature}`,
    `${value.replaceAll('-', '+').replaceAll('_', '/')}x|${seconds}|${signature}`,
    'é'.repeat(100),
  ]
  for (const text of altered) expect(await status(`${name}=${text}`), text).toBe(401)
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 0, max: session.length - 3 }),
      fc.constantFrom(...'Az09-_|=+/% '),
      async (at, by) => {
        const text = session.slice(0, at) + by + session.slice(at + 1)
        expect(await status(`${name}=${text}`)).toBe(session[at] === by ? 200 : 401)
      },
    ),
    { numRuns: 200 },
  )
})

test('five hundred parts of nothing are refused quickly', async () => {
  const { browser } = await proxyWorld()
  const cookie = Array.from({ length: 500 }, (_, index) => `${name}_${index}=xxxx`).join('; ')
  expect((await browser.check('/api/', { headers: { cookie } })).status).toBe(401)
})

test('a cookie planted by a sibling host does not hide the real session', async () => {
  const { browser, signIn } = await proxyWorld()
  await signIn()
  const session = browser.cookies.get(name)
  for (const cookie of [`${name}=planted; ${name}=${session}`, `${name}=${session}; ${name}=planted`]) {
    expect((await browser.check('/x', { headers: { cookie } })).status).toBe(200)
  }
})

test('no forwarded path opens another path, from whatever peer', async () => {
  const settings = { skip_auth_routes: ['^/public'], reverse_proxy: true }
  for (const trusted of [[], ['10.0.0.0/8']]) {
    const { browser } = await proxyWorld({ ...settings, trusted_proxy_ips: trusted })
    for (const header of ['x-forwarded-uri', 'x-forwarded-prefix', 'x-original-url', 'x-rewrite-url']) {
      expect((await browser.check('/admin', { headers: { [header]: '/public' } })).status, header).toBe(403)
    }
  }
})

test('Host and forwarded hosts of strangers are in no link', async () => {
  const { browser } = await proxyWorld({ reverse_proxy: true, skip_provider_button: true })
  const headers = {
    'x-forwarded-host': 'evil.com',
    'x-forwarded-proto': 'https',
    'x-auth-request-redirect': '//evil.com',
  }
  const answer = await browser.check('/x', { host: 'evil.com', headers })
  expect(answer.headers['location']).not.toContain('evil')
})

test('a storm of background requests leaves no login cookie, a storm of navigations at most five', async () => {
  const { browser } = await proxyWorld({ skip_provider_button: true })
  await Promise.all(Array.from({ length: 60 }, () => browser.check('/x', { headers: { 'sec-fetch-mode': 'cors' } })))
  expect(browser.cookies.size).toBe(0)
  await Promise.all(Array.from({ length: 60 }, () => browser.check('/x')))
  await browser.check('/x')
  expect(browser.cookies.size).toBe(5)
})

test('nothing in a query or header is echoed unescaped', async () => {
  const { browser } = await proxyWorld()
  const script = '"><script>alert(1)</script>'
  const answers = [
    await browser.get(`/oauth2/sign_in?rd=/${encodeURIComponent(script)}`),
    await browser.get(`/oauth2/signed_out?state=/${encodeURIComponent(script)}`),
    await browser.get(`/oauth2/callback?error=${encodeURIComponent(script)}&state=${'a'.repeat(43)}:/`),
    await browser.get('/x', { 'x-auth-request-redirect': `/${script}` }),
  ]
  for (const answer of answers) expect(await answer.text()).not.toContain('<script>alert')
})

test('a store that does not answer is a 503, not an allow and not a logout', async () => {
  const { browser, signIn, records, open } = await proxyWorld()
  const collection = records.collection.bind(records)
  await signIn()
  const gone = () => Promise.reject(new Error('the database is gone'))
  records.collection = <Value>(name: string) => ({ ...collection<Value>(name), find: gone })
  records.journal = () => ({ append: gone, readAfter: gone })
  const answer = await open().check({
    ...{ method: 'GET', path: '/x', host: 'h', clientAddress: '', requestId: '' },
    headers: { cookie: browser.cookieHeader },
  })
  expect([answer.status, answer.headers.includes('set-cookie')]).toEqual([503, false])
})
