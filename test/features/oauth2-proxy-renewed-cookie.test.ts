import { expect, test } from 'vitest'
import { proxyConfigSchema } from '../../src/proxy/config.ts'
import { kubeflow, proxyWorldOf } from './proxy-world.ts'

/** Ada, signed in at a proxy that forwards by itself; `ask` tells what the browser and the app are told. */
async function forwardingWorld(upstream = 'http://app.example') {
  const world = await proxyWorldOf({ ...proxyConfigSchema.parse(kubeflow), upstreams: [upstream] })
  world.provider.tokenLifetime = 300
  world.provider.refreshTokens = true
  await world.signIn()
  const proxy = world.open()
  const ask = async (cookie: string, path = '/x') => {
    const asked = { method: 'GET', path, host: 'app.example', clientAddress: '', requestId: '', headers: { cookie } }
    const { status, headers, forwarding } = await proxy.check(asked)
    const { toClient = [], toUpstream = [] } = forwarding ?? {}
    const setCookies = toClient.filter((_, at) => toClient[at - 1] === 'set-cookie' && at % 2 === 1)
    return { status, headers, setCookies, toUpstream }
  }
  return { ...world, ask }
}

test('a session that is refreshed on the way to an app reaches the browser as a new cookie', async () => {
  const { browser, ask, clock, provider } = await forwardingWorld()
  const first = await ask(browser.cookieHeader)
  expect(first).toMatchObject({ status: 200, setCookies: [] })
  clock.time += 295_000
  const renewed = await ask(browser.cookieHeader)
  expect(renewed.setCookies).toHaveLength(1)
  expect(renewed.setCookies[0]).toMatch(/^oauth2_proxy_kubeflow=[^;]+; Path=\/; .*HttpOnly/)
  const cookie = renewed.setCookies[0]?.split(';')[0] ?? ''
  expect(await ask(cookie)).toMatchObject({ status: 200, setCookies: [] })
  expect(provider.tokenRequests.filter((form) => form.get('grant_type') === 'refresh_token')).toHaveLength(1)
})

test('a browser that still comes with the old cookie is given the new one again', async () => {
  const { browser, ask, clock } = await forwardingWorld()
  clock.time += 295_000
  for (const path of ['/x', '/y', '/x?allowed_groups=']) {
    expect((await ask(browser.cookieHeader, path)).setCookies).toHaveLength(1)
  }
})

test('who only answers a gateway in front sends no cookie along', async () => {
  const { browser, ask, clock } = await forwardingWorld('static://200')
  clock.time += 295_000
  const { status, headers, setCookies } = await ask(browser.cookieHeader)
  expect([status, setCookies, headers.includes('set-cookie')]).toEqual([200, [], false])
})

test('the new cookie ends with the session it continues', async () => {
  const { browser, ask, clock } = await forwardingWorld()
  clock.time += 295_000
  const [line = ''] = (await ask(browser.cookieHeader)).setCookies
  const cookie = line.split(';')[0] ?? ''
  await browser.get('/oauth2/sign_out')
  expect((await ask(cookie)).status).not.toBe(200)
})
