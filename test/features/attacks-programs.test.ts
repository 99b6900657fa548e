import { describe, expect, test } from 'vitest'
import { type Browser, origin, proxyWorld } from './proxy-world.ts'

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
