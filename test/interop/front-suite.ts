import { execFile } from 'node:child_process'
import process from 'node:process'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { WebSocket } from 'ws'
import { chromiumPath } from '../browser/chromium.ts'
import { type HttpClient, httpClient } from '../world/http-client.ts'
import { ada } from '../world/platform-files.ts'
import { recipe } from '../world/recipe.ts'
import { browserTest } from './front-browser-test.ts'
import { type Front, type FrontWorld, openFrontWorld } from './front-world.ts'
import { type Mirrored, mirrored } from './mirror.ts'

/** A fetch of a page, by the browser's word. */
const asScript = { headers: { 'sec-fetch-mode': 'cors', accept: '*/*' } }

/** What names a user to the application, in the spellings that WSGI and CGI do not tell apart. */
function liesAs(prefix: string): Readonly<Record<string, string>> {
  const names = ['user', 'email', 'groups', 'preferred-username'].flatMap((what) => {
    const name = `${prefix}-${what}`
    const mixed = [name.replace('-', '_'), name.replace(/(?<=-\w+)-/, '_')]
    return [name, ...mixed, name.replaceAll('-', '_').toUpperCase()]
  })
  return Object.fromEntries(names.map((name) => [name, 'root@example.com']))
}

/**
 * What every server in front owes its applications, set up as docs/FRONTS.md says. Sessions are of users in many groups,
 * whose cookie is above 8 kB. `hidesCookie`: whether the application is spared our cookie.
 */
export function frontSuite(front: Front, { hidesCookie }: { hidesCookie: boolean }): void {
  const told = front.isForwardedByGatehouse ? 'x-forwarded' : 'x-auth-request'
  const lies = liesAs(told)
  let world: FrontWorld
  beforeAll(async () => {
    world = await openFrontWorld(front)
  })
  afterAll(() => world.close())

  test('a visitor signs in and reaches the very page that was asked for', async () => {
    const { url, text } = await world.signIn('/reports/2026?month=11&tab=b%20c')
    expect(url).toBe(`${world.origin}/reports/2026?month=11&tab=b%20c`)
    expect(mirrored(text).url).toBe('/reports/2026?month=11&tab=b%20c')
  })

  test('a session of several cookies, above 8 kB, is kept', async () => {
    const { browser } = await world.signIn()
    const own = [...browser.cookies.values()].filter(({ name }) => name.startsWith('_oauth2_proxy'))
    expect(own.map(({ value }) => value).join('').length).toBeGreaterThan(8192)
    expect(own.length).toBeGreaterThan(2)
    expect((await browser.send(`${world.origin}/reports`)).status).toBe(200)
  })

  test('a script without a session gets 401 it can read, and no page', async () => {
    const response = await httpClient().send(`${world.origin}/reports`, asScript)
    expect([response.status, response.headers.get('location')]).toEqual([401, null])
    expect(response.headers.get('www-authenticate')).toBe('Bearer')
    expect(await response.json()).toEqual({ error: 'login_required', login_url: '/oauth2/start' })
    const api = await httpClient().send(`${world.origin}/api/reports`)
    expect([api.status, await api.text()]).toEqual([401, '{}'])
  })

  test('the application is told who signed in, by header and by token', async () => {
    const { text } = await world.signIn()
    const { headers } = mirrored(text)
    expect(headers[`${told}-email`]).toBe(ada.email)
    expect(headers[`${told}-groups`]).toContain('platform-users,team/ml')
    expect(headers[`${told}-user`]).toMatch(/./)
    expect(headers.authorization).toMatch(/^Bearer ey/)
  })

  test('what a client says of itself is not believed, signed in or not, in any spelling', async () => {
    expect((await httpClient().send(`${world.origin}/api/reports`, { headers: lies })).status).toBe(401)
    const nobody = await httpClient().send(`${world.origin}/open/page`, { headers: lies })
    expect(nobody.status).toBe(200)
    expect(await nobody.text()).not.toContain('root@example.com')
    const { browser } = await world.signIn()
    const { text } = await browser.follow(`${world.origin}/reports`, { headers: lies })
    expect(mirrored(text).headers[`${told}-email`]).toBe(ada.email)
    expect(text).not.toContain('root@example.com')
  })

  test.runIf(hidesCookie)('the application gets its own cookies and not ours', async () => {
    const { browser } = await world.signIn()
    const sent = `a_first=theirs; ${cookiesOf(browser)}; zuletzt=theirs`
    const answer = await httpClient().send(`${world.origin}/reports`, { headers: { cookie: sent } })
    const { cookie = '' } = mirrored(await answer.text()).headers
    expect(cookie).not.toContain('_oauth2_proxy')
    expect(cookie).toContain('a_first=theirs')
    expect(cookie).toContain('zuletzt=theirs')
    const nobody = await httpClient().send(`${world.origin}/open/page`, { headers: { cookie: 'a_first=theirs' } })
    expect(mirrored(await nobody.text()).headers.cookie).toBe('a_first=theirs')
  })

  test('exempt paths are open by their method, and a client cannot claim to be at one', async () => {
    const status = async (path: string, init?: RequestInit) =>
      (await httpClient().send(world.origin + path, init)).status
    expect(await status('/open/page')).toBe(200)
    expect(await status('/open/page', { method: 'POST', ...asScript })).toBe(401)
    const claims = {
      ...asScript.headers,
      'x-forwarded-uri': '/open/page',
      'x-forwarded-method': 'GET',
      'x-original-url': 'http://apps.example.com/open/page',
      'x-original-uri': '/open/page',
      'x-original-method': 'GET',
      x_forwarded_uri: '/open/page',
      x_forwarded_method: 'GET',
    }
    const refused = [400, 401] // 400 where what it says contradicts what the server says
    expect(refused).toContain(await status('/reports', { headers: claims }))
    for (const [name, value] of Object.entries(claims)) {
      const headers = { ...asScript.headers, [name]: value }
      expect(refused, name).toContain(await status('/reports', { headers }))
    }
  })

  test('a client cannot send the sign-in elsewhere', async () => {
    const headers = { 'x-forwarded-host': 'evil.example', 'x-forwarded-proto': 'https', 'x-forwarded-uri': '/x' }
    const { text, url } = await httpClient().follow(`${world.origin}/reports?a=1`, { headers })
    expect(url).toMatch(world.provider)
    expect(text).not.toContain('evil.example')
  })

  test('WebSockets reach the application with a session, and are refused with 401 without', async () => {
    expect(await upgraded(httpClient(), `${world.origin}/socket`)).toBe(401)
    const { browser } = await world.signIn()
    const opened = await upgraded(browser, `${world.origin}/socket?a=1`)
    expect(opened).toMatchObject({ url: '/socket?a=1', headers: { [`${told}-email`]: ada.email } })
  })

  test('a personal access token opens its paths and no others', async () => {
    const token = await newAccessToken(world)
    const open = (path: string) =>
      httpClient().send(world.origin + path, { headers: { authorization: `Bearer ${token}` } })
    const { headers } = mirrored(await (await open('/reports/2026')).text())
    expect(headers[`${told}-email`]).toBe(ada.email)
    expect(headers.authorization).toMatch(/^Bearer ey/)
    expect((await open('/secrets')).status).toBe(403)
    expect((await open(`/api/${token}`)).status).toBe(403)
  })

  test('the documented check prints what it should', async () => {
    const script = recipe('check.sh', { 'https://apps.example.com': world.origin })
    const wanted = [...script.matchAll(/^# prints (\d+)/gm)].map(([, printed]) => printed)
    expect(wanted).toHaveLength(4)
    const env = { ...process.env, TOKEN: await newAccessToken(world), no_proxy: '*' }
    const { stdout } = await promisify(execFile)('sh', ['-c', `${script}true`], { env })
    expect(stdout.trim().split('\n')).toEqual(wanted)
  })

  test('signing out ends the session here and at the provider, and what was made from it', async () => {
    const { browser, text } = await world.signIn()
    const { authorization = '' } = mirrored(text).headers
    const old = cookiesOf(browser)
    const status = async (headers: Record<string, string>) =>
      (await httpClient().send(`${world.origin}/api/reports`, { headers })).status
    expect([await status({ authorization }), await status({ cookie: old })]).toEqual([200, 200])

    const asked = await browser.follow(`${world.origin}/oauth2/sign_out`)
    expect(asked.url).toMatch(world.provider) // it asks: an ID token with so many groups is no hint that fits a URL
    const bye = await browser.submit(asked, {})
    expect(bye.url).toMatch(`${world.origin}/oauth2/callback`)
    expect([...browser.cookies.values()].filter(({ name }) => name.startsWith('_oauth2_proxy'))).toEqual([])
    expect([await status({ authorization }), await status({ cookie: old })]).toEqual([401, 401])
    const again = await browser.follow(`${world.origin}/reports`)
    expect(again.url).toMatch(world.provider)
    expect(again.text).toContain('type="password"')
  })

  if (chromiumPath !== undefined) browserTest(() => world)
}

/** Makes a personal access token for `/reports` in the browser. */
async function newAccessToken({ origin, signIn }: FrontWorld): Promise<string> {
  const { browser } = await signIn()
  const tokens = await browser.follow(`${origin}/oauth2/tokens`)
  const body = new URLSearchParams({ label: 'script', path: '/reports', days: '1' })
  const made = await browser.follow(tokens.url, { method: 'POST', body })
  return /gha_[\w-]+/.exec(made.text)?.[0] ?? ''
}

/** What a browser sends to any page of the application. */
function cookiesOf({ cookies }: HttpClient): string {
  const sent = [...cookies.values()].filter(({ path }) => path === '/')
  return sent.map(({ name, value }) => `${name}=${value}`).join('; ')
}

/** Opens a WebSocket: what the application saw, or the status of the refusal. */
function upgraded(browser: HttpClient, url: string): Promise<Mirrored | number> {
  const socket = new WebSocket(url.replace('http', 'ws'), { headers: { cookie: cookiesOf(browser) } })
  return new Promise((resolve, reject) => {
    socket.once('message', (text) => {
      socket.close()
      resolve(mirrored(String(text)))
    })
    socket.once('unexpected-response', (request, { statusCode = 0 }) => {
      request.destroy()
      resolve(statusCode)
    })
    socket.once('error', reject)
  })
}
