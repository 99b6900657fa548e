import { describe, expect, test } from 'vitest'
import { MessageReader } from '../../src/kit/protobuf.ts'
import { encodeAllowance } from '../../src/proxy/transports/check-messages.ts'
import { ada, type Browser, kubeflow, origin, proxyWorld } from './proxy-world.ts'

const form = (fields: Record<string, string>, headers: Record<string, string> = {}) => ({
  body: new URLSearchParams(fields).toString(),
  headers: { 'content-type': 'application/x-www-form-urlencoded', ...headers },
})

/** A proxy whose user is signed in and has made a token; its tools for attackers. */
async function world(settings: Record<string, unknown> = {}) {
  const one = await proxyWorld(settings)
  one.provider.refreshTokens = true
  const post = async (path: string, { body, headers }: ReturnType<typeof form>, client: Browser = one.browser) => {
    const sent = { ...headers, ...(client.cookieHeader === '' ? {} : { cookie: client.cookieHeader }) }
    const request = new Request(`${origin}${path}`, { method: 'POST', body, headers: sent })
    const response = await one.proxy.fetch(request, { requestId: 'r1', clientAddress: '10.0.0.9' })
    client.keep(response.headers.getSetCookie())
    return response
  }
  const makeToken = async (fields: Record<string, string> = {}) => {
    const started = await post('/oauth2/tokens', form({ label: 'nightly', ...fields }))
    const page = await one.browser.get(one.provider.signIn(started.headers.get('location') ?? ''))
    return /gha_[\w-]{43}/.exec(await page.text())?.[0] ?? expect.fail('no token was made')
  }
  const statusOf = async (path: string, headers: Record<string, string>) =>
    (await one.newBrowser().check(path, { headers })).status
  return { ...one, post, makeToken, statusOf }
}

describe('a request with a token and a browser’s cookie', () => {
  const basic = (token: string) => `Basic ${Buffer.from(`git:${token}`).toString('base64')}`

  test.each([
    ['as a bearer', (token: string) => `Bearer ${token}`],
    ['in another case', (token: string) => `bEARER ${token}`],
    ['as a password', basic],
  ])('is the token’s, %s, whatever is remembered of the cookie', async (_, written) => {
    const { browser, signIn, makeToken, statusOf } = await world()
    await signIn()
    const token = await makeToken({ path: '/pipeline' })
    const headers = { authorization: written(token), cookie: browser.cookieHeader }
    expect(await statusOf('/jupyter/', headers)).toBe(403)
    expect((await browser.check('/jupyter/')).status).toBe(200)
    expect(await statusOf('/jupyter/', headers)).toBe(403)
    expect(await statusOf('/jupyter/', { ...headers, authorization: written(`gha_${'A'.repeat(43)}`) })).toBe(401)
  })

  test('is the browser’s where a sibling host planted the token as a cookie, a live one or a dead one', async () => {
    const { browser, newBrowser, signIn, makeToken, provider } = await world()
    await signIn()
    const token = await makeToken()
    const victim = newBrowser()
    provider.account = { ...ada, sub: 'victim', email: 'victim@example.com' }
    await signIn('/', victim)
    expect(browser.cookieHeader).not.toBe(victim.cookieHeader)
    for (const planted of [token, `gha_${'A'.repeat(43)}`]) {
      for (const cookie of [
        `${kubeflow.cookie_name}=${planted}; ${victim.cookieHeader}`,
        `${victim.cookieHeader}; ${kubeflow.cookie_name}=${planted}`,
      ]) {
        const { status, headers } = await newBrowser().check('/x', { headers: { cookie } })
        expect([status, headers['x-auth-request-email']]).toEqual([200, 'victim@example.com'])
      }
    }
  })

  test('is the cookie’s where the header is an app’s own', async () => {
    const { browser, signIn, statusOf } = await world()
    await signIn()
    for (let round = 0; round < 2; round += 1) {
      for (const authorization of ['token of-jupyter', basic('an-app-of-its-own'), 'Bearer opaque']) {
        expect(await statusOf('/jupyter/', { authorization, cookie: browser.cookieHeader }), authorization).toBe(200)
      }
    }
  })
})

describe('a stranger who asks for a token', () => {
  const ask = async (one: Awaited<ReturnType<typeof world>>, fields: Record<string, string>, host?: string) => {
    const headers = host === undefined ? {} : { host }
    const answer = await one.post('/oauth2/device_authorization', form(fields, headers), one.newBrowser())
    return { status: answer.status, json: (await answer.json()) as Record<string, string> }
  }
  const linkOf = ({ json }: Awaited<ReturnType<typeof ask>>) => new URL(json['verification_uri'] ?? '')

  test('gets a link to where the configuration says we are, whatever the request’s host', async () => {
    const redirect_url = 'https://platform.example.com/oauth2/callback'
    const one = await world({ redirect_url, relative_redirect_url: false })
    const link = linkOf(await ask(one, { label: 'laptop' }, 'evil.example'))
    expect(link.origin).toBe('https://platform.example.com')
  })

  test('leaves no more in the store than so much, however many links are made and refused', async () => {
    const one = await world()
    for (let round = 0; round < 1100; round += 1) {
      const link = linkOf(await ask(one, { label: `laptop ${round}` }))
      const fields = { request: link.searchParams.get('request') ?? '', answer: 'deny' }
      expect((await one.post('/oauth2/device', form(fields), one.newBrowser())).status).toBe(200)
    }
    one.clock.time += 601_000
    expect(await one.records.purge()).toBe(1000)
  })

  test.each([
    ['a name that reads backwards', { label: 'kfp \u202egnihtyreve' }],
    ['a name of two lines', { label: 'kfp\u2028Press Allow' }],
    ['a thousand paths', { label: 'kfp', path: Array.from({ length: 1000 }, (_, at) => `/p${at}`).join(' ') }],
    ['a path of a thousand characters', { label: 'kfp', path: `/${'p'.repeat(1000)}` }],
  ])('gets none for %s', async (_, fields) => {
    expect((await ask(await world(), fields)).status).toBe(400)
  })
})

test('a limited token that was stolen tells of no other, and revokes no other', async () => {
  const { browser, newBrowser, post, signIn, makeToken, statusOf } = await world()
  await signIn()
  const [mine, other] = [await makeToken({ path: '/pipeline' }), await makeToken({ path: '/jupyter' })]
  const json = { accept: 'application/json' }
  const all = (await (await browser.get('/oauth2/tokens', json)).json()) as { id: string; paths: string[] }[]
  expect(all).toHaveLength(2)
  const asThief = { ...json, authorization: `Bearer ${mine}` }
  const seen = (await (await newBrowser().get('/oauth2/tokens', asThief)).json()) as typeof all
  expect(seen.map(({ paths }) => paths)).toEqual([['/pipeline']])
  for (const { id, paths } of all.toSorted(({ paths: [path = ''] }) => (path === '/jupyter' ? -1 : 1))) {
    const { status } = await post('/oauth2/tokens', form({ revoke: id }, asThief), newBrowser())
    expect([paths, status]).toEqual([paths, paths[0] === '/pipeline' ? 200 : 403])
  }
  expect(await statusOf('/jupyter/', { authorization: `Bearer ${other}` })).toBe(200)
  expect(await statusOf('/pipeline/', { authorization: `Bearer ${mine}` })).toBe(401)
})

test('an app that is given no other Authorization is not given the token', async () => {
  const settings = { set_authorization_header: false, skip_auth_routes: ['^/open/'] }
  const { proxy, signIn, makeToken, newBrowser } = await world(settings)
  await signIn()
  const token = await makeToken({ path: '/pipeline' })
  const removal = 'x-envoy-auth-headers-to-remove'
  for (const path of ['/pipeline/', '/open/']) {
    const headers = { authorization: `Bearer ${token}` }
    const answer = await newBrowser().check(path, { headers })
    expect([answer.status, answer.headers[removal]], path).toEqual([200, 'authorization'])
    const request = { method: 'GET', path, host: 'x', clientAddress: '', requestId: '', headers }
    const message = encodeAllowance(await proxy.check(request), { set: [], removed: [] })
    expect(message.includes(removal)).toBe(false)
    expect(new MessageReader(message).message(3)?.all(5).map(String)).toEqual(['authorization'])
  }
  const app = await newBrowser().check('/open/', { headers: { authorization: 'Bearer of-the-app' } })
  expect([app.status, app.headers[removal]]).toEqual([200, undefined])
})
