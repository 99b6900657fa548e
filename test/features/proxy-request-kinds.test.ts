import { expect, test } from 'vitest'
import { proxyWorld } from './proxy-world.ts'

const html = 'text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8'

test.each([
  ['an event stream', { accept: 'text/event-stream' }],
  ['an image of an old browser', { accept: 'image/webp,image/png,image/svg+xml;q=0.8' }],
  ['JSON with its parameters', { accept: 'application/json; charset=utf-8' }],
  ['JSON that is posted', { 'content-type': 'application/json', accept: '*/*' }],
  ['a prefetch', { 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'document', 'sec-purpose': 'prefetch;prerender' }],
  ['a prefetch of an older browser', { purpose: 'prefetch', accept: html }],
  ['a service worker', { 'sec-fetch-mode': 'same-origin', 'sec-fetch-dest': 'serviceworker' }],
  ['an embedded object', { 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'embed' }],
  ['a WebSocket among other upgrades', { upgrade: 'foo, WebSocket' }],
  ['gRPC', { 'content-type': 'application/grpc', te: 'trailers' }],
])('%s is no navigation: 401 for programs, and no login begins', async (_, headers) => {
  for (const settings of [{}, { skip_provider_button: true }]) {
    const { browser } = await proxyWorld(settings)
    const answer = await browser.check('/app/data', { headers })
    expect([answer.status, answer.headers['content-type']]).toEqual([401, 'application/json'])
    expect(JSON.parse(answer.body)).toEqual({ error: 'login_required', login_url: '/oauth2/start' })
    expect(answer.headers).not.toHaveProperty('set-cookie')
  }
})

test.each([
  ['a browser', { accept: html, 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'document' }],
  ['a browser that tells no more than it takes', { accept: html }],
  ['curl', { accept: '*/*' }],
  ['an ext_authz client that drops Accept', {}],
  ['a form', { accept: html, 'content-type': 'application/x-www-form-urlencoded' }],
])('%s navigates: the login', async (_, headers) => {
  const page = await (await proxyWorld()).browser.check('/app', { headers })
  expect([page.status, page.headers['content-type']]).toEqual([403, 'text/html; charset=utf-8'])
  const straight = await (await proxyWorld({ skip_provider_button: true })).browser.check('/app', { headers })
  expect([straight.status, straight.headers['location']?.startsWith('/dex/auth?')]).toEqual([302, true])
})

test('someone who is signed in, but not welcome, gets 403 in the same form', async () => {
  const { browser, signIn } = await proxyWorld({ allowed_groups: ['ops'] })
  await signIn()
  const background = await browser.check('/x', { headers: { 'sec-fetch-mode': 'cors', 'sec-fetch-dest': 'empty' } })
  expect([background.status, background.body]).toEqual([403, '{}'])
  expect((await browser.check('/x', { headers: { accept: html } })).headers['content-type']).toContain('text/html')
})
