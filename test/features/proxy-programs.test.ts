import { describe, expect, test } from 'vitest'
import { signInFromTerminal, type TerminalLoginWish } from '../../src/app/terminal-login.ts'
import { ada, type Browser, origin, proxyWorld } from './proxy-world.ts'

const form = (fields: Record<string, string>) => ({
  method: 'POST',
  body: new URLSearchParams(fields).toString(),
  headers: { 'content-type': 'application/x-www-form-urlencoded', 'sec-fetch-site': 'same-origin' },
})

type Posted = ReturnType<typeof form>

async function tokenWorld(settings: Record<string, unknown> = {}) {
  const world = await proxyWorld(settings)
  world.provider.refreshTokens = true
  const send = async (path: string, { method, body, headers }: Posted, client: Browser = world.browser) => {
    const cookie = client.cookieHeader
    const all = { ...headers, ...(cookie === '' ? {} : { cookie }) }
    const sent = new Request(`${origin}${path}`, { method, body, headers: all })
    const response = await world.proxy.fetch(sent, { requestId: 'r1', clientAddress: '10.0.0.9' })
    client.keep(response.headers.getSetCookie())
    return response
  }
  /** The user makes a token on the page: the form, the sign-in behind it, the page with the token. */
  const makeToken = async (fields: Record<string, string>) => {
    const started = await send('/oauth2/tokens', form(fields))
    const callback = world.provider.signIn(started.headers.get('location') ?? '')
    const page = await world.browser.get(callback)
    return { started, page, text: /gha_[\w-]{43}/.exec(await page.text())?.[0] ?? '' }
  }
  return { ...world, send, makeToken }
}

const check = async (world: Awaited<ReturnType<typeof tokenWorld>>, path: string, headers: Record<string, string>) =>
  world.newBrowser().check(path, { headers })

describe('a personal access token made on the page', () => {
  test('opens its paths as its user, as a bearer, a password or the cookie', async () => {
    const world = await tokenWorld()
    await world.signIn()
    const { started, text } = await world.makeToken({ label: 'nightly', path: '/pipeline/ /katib', days: '7' })
    expect(new URL(started.headers.get('location') ?? '', origin).searchParams.get('scope')).toContain('offline_access')
    const basic = Buffer.from(`any:${text}`).toString('base64')
    for (const headers of [
      { authorization: `Bearer ${text}` },
      { authorization: `Basic ${basic}` },
      { cookie: `oauth2_proxy_kubeflow=${text}` },
    ]) {
      const answer = await check(world, '/pipeline/apis/v2beta1/runs', headers)
      expect(answer.status).toBe(200)
      expect(answer.headers).toMatchObject({ 'x-auth-request-email': ada.email, 'x-auth-request-groups': 'ml,admins' })
      expect(answer.headers['authorization']).toMatch(/^Bearer ey/)
    }
  })

  test('opens nothing else, and says so to a program', async () => {
    const world = await tokenWorld()
    await world.signIn()
    const { text } = await world.makeToken({ label: 'nightly', path: '/pipeline' })
    const headers = { authorization: `Bearer ${text}` }
    for (const path of ['/', '/pipelines', '/jupyter/', '/pipeline/../jupyter', '/jupyter?/pipeline/']) {
      const answer = await check(world, path, headers)
      expect([answer.status, answer.body], path).toEqual([403, '{"error":"insufficient_scope"}'])
    }
    expect((await check(world, '/oauth2/auth', headers)).status).toBe(403)
    const exempt = await check(world, '/dex/keys', headers)
    expect([exempt.status, exempt.headers['x-auth-request-email']]).toEqual([200, undefined])
  })

  test('leaves the browser’s own session as it was', async () => {
    const world = await tokenWorld()
    await world.signIn()
    const before = world.browser.cookieHeader
    const { page } = await world.makeToken({ label: 'nightly' })
    expect(page.status).toBe(200)
    expect(world.browser.cookieHeader).toBe(before)
  })

  test('is listed and revoked by its owner', async () => {
    const world = await tokenWorld()
    await world.signIn()
    const { text } = await world.makeToken({ label: 'nightly <b>', path: '/pipeline' })
    const json = { accept: 'application/json' }
    const page = await (await world.browser.get('/oauth2/tokens')).text()
    expect(page).toContain('nightly &lt;b&gt;')
    const [listed] = (await (await world.browser.get('/oauth2/tokens', json)).json()) as [{ id: string; label: string }]
    expect(listed).toMatchObject({ label: 'nightly <b>', paths: ['/pipeline'] })
    expect(page).not.toContain(text)
    expect((await world.send('/oauth2/tokens', form({ revoke: listed.id }))).status).toBe(303)
    const dead = await check(world, '/pipeline/', { authorization: `Bearer ${text}` })
    expect([dead.status, dead.headers['content-type']]).toEqual([401, 'application/json'])
    expect(await (await world.browser.get('/oauth2/tokens', json)).json()).toEqual([])
  })

  test('makes no other token', async () => {
    const world = await tokenWorld()
    await world.signIn()
    const { text } = await world.makeToken({ label: 'nightly' })
    const { method, body, headers } = form({ label: 'another' })
    const program = { ...headers, authorization: `Bearer ${text}`, accept: 'application/json' }
    const answer = await world.send('/oauth2/tokens', { method, body, headers: program }, world.newBrowser())
    expect([answer.status, await answer.json()]).toEqual([403, { error: 'insufficient_scope' }])
  })

  test('is not made by another site’s form, nor without a sign-in, nor of a broken wish', async () => {
    const world = await tokenWorld()
    await world.signIn()
    const { method, body, headers } = form({ label: 'evil' })
    const foreign = { method, body, headers: { ...headers, 'sec-fetch-site': 'cross-site' } }
    expect((await world.send('/oauth2/tokens', foreign)).status).toBe(403)
    const stranger = await world.send('/oauth2/tokens', form({ label: 'x' }), world.newBrowser())
    expect([stranger.status, stranger.headers.get('location')?.split('?')[0]]).toEqual([302, '/dex/auth'])
    for (const fields of [
      { label: '' },
      { label: 'x', days: '0' },
      { label: 'x', days: '9999' },
      { label: 'x', path: 'a' },
    ]) {
      const answer = await world.send('/oauth2/tokens', form(fields as Record<string, string>))
      expect([answer.status, (await answer.text()).includes('role="alert"')], JSON.stringify(fields)).toEqual([
        400,
        true,
      ])
    }
  })

  test('that cannot be had leaves what was written in the form', async () => {
    const world = await tokenWorld()
    await world.signIn()
    const page = await (
      await world.send('/oauth2/tokens', form({ label: 'nightly "1"', path: 'nopath', days: '7' }))
    ).text()
    expect(page).toContain('<code>nopath</code> is no path')
    for (const value of ['nightly &quot;1&quot;', 'nopath', '7']) expect(page).toContain(` value="${value}"`)
  })

  test('is not promised where the provider gives no refresh tokens', async () => {
    const world = await tokenWorld()
    world.provider.refreshTokens = false
    await world.signIn()
    const { page, text } = await world.makeToken({ label: 'nightly' })
    expect([page.status, text]).toEqual([403, ''])
  })

  test('does not outlive its user’s right to enter', async () => {
    const world = await tokenWorld({ allowed_groups: ['admins'], cookie_refresh: '1m' })
    await world.signIn()
    const { text } = await world.makeToken({ label: 'nightly' })
    const headers = { authorization: `Bearer ${text}` }
    expect((await check(world, '/x', headers)).status).toBe(200)
    world.provider.account = { ...ada, groups: ['ml'] }
    world.clock.time += 61_000
    expect((await check(world, '/x', headers)).status).toBe(403)
    world.provider.refreshTokens = false
    world.clock.time += 61_000
    expect((await check(world, '/x', headers)).status).toBe(401)
  })
})

describe('a sign-in from a terminal', () => {
  const wish: TerminalLoginWish = { url: origin, prefix: '/oauth2', label: 'laptop', paths: ['/pipeline'], days: '7' }

  /** Runs it; `meanwhile` is what the user does in the browser with the link, once it is shown. */
  async function signIn(
    world: Awaited<ReturnType<typeof tokenWorld>>,
    meanwhile: (link: URL, code: string) => Promise<void>,
  ) {
    let shown: { link: URL; code: string } | undefined
    return signInFromTerminal(wish, {
      fetch: async (input, init) =>
        world.proxy.fetch(new Request(input, init), { requestId: 'r', clientAddress: '10.0.0.1' }),
      now: world.clock.now,
      show(link, code) {
        shown = { link: new URL(link), code }
      },
      async wait(seconds) {
        world.clock.time += seconds * 1000
        const { link, code } = shown ?? expect.fail('no link was shown')
        await meanwhile(link, code)
      },
    })
  }

  const answer = (link: URL, choice: string) =>
    form({ request: link.searchParams.get('request') ?? '', answer: choice })

  test('gets a token once its user has signed in and allowed it', async () => {
    const world = await tokenWorld()
    let rounds = 0
    const got = await signIn(world, async (link, code) => {
      rounds += 1
      if (rounds !== 2) return
      const page = await (await world.browser.get(link.pathname + link.search)).text()
      expect(page).toContain(code)
      expect(page).toContain('laptop')
      const started = await world.send('/oauth2/device', answer(link, 'allow'))
      const done = await world.browser.get(world.provider.signIn(started.headers.get('location') ?? ''))
      expect(await done.text()).toContain('Go back to your terminal')
    })
    expect(rounds).toBe(2)
    expect(got).toMatchObject({ url: origin, email: ada.email, cookieName: 'oauth2_proxy_kubeflow' })
    const headers = { cookie: `${got.cookieName}=${got.token}` }
    expect((await check(world, '/pipeline/', headers)).status).toBe(200)
    expect((await check(world, '/jupyter/', headers)).status).toBe(403)
    expect(world.browser.cookies.has('oauth2_proxy_kubeflow')).toBe(false)
  })

  test('ends with the user’s refusal', async () => {
    const world = await tokenWorld()
    const signedIn = signIn(world, async (link) => void (await world.send('/oauth2/device', answer(link, 'deny'))))
    await expect(signedIn).rejects.toMatchObject({ code: 'login', message: 'the sign-in was refused in the browser' })
  })

  test('ends when nobody opens the link, having stored nothing', async () => {
    const world = await tokenWorld()
    await expect(signIn(world, async () => {})).rejects.toMatchObject({
      message: 'the link was not used in time; start again',
    })
  })

  test('a link that is too old, or cut off, is a page that says what to do', async () => {
    const { browser } = await tokenWorld()
    const gone = await browser.get('/oauth2/device?request=cut-off')
    expect(gone.status).toBe(400)
    expect(await gone.text()).toContain('Start again in your terminal')
  })

  test('is not allowed by another site’s form', async () => {
    const world = await tokenWorld()
    await expect(
      signIn(world, async (link) => {
        const { method, body, headers } = answer(link, 'allow')
        const foreign = { method, body, headers: { ...headers, 'sec-fetch-site': 'cross-site' } }
        // the page once more, and no way on to the provider; in the end the link is too old
        expect([200, 400]).toContain((await world.send('/oauth2/device', foreign)).status)
      }),
    ).rejects.toMatchObject({ message: 'the link was not used in time; start again' })
  })

  test('has a link that is answered once: what comes later changes nothing, and says so', async () => {
    const world = await tokenWorld()
    const begin = async () => {
      const asked = await world.send('/oauth2/device_authorization', form({ label: 'laptop' }))
      const { device_code: code = '', verification_uri: uri = '' } = (await asked.json()) as Record<string, string>
      const redeem = async () => (await world.send('/oauth2/device_token', form({ device_code: code }))).json()
      return { link: new URL(uri), redeem }
    }
    const again = async (page: Response, how: string) => {
      expect(page.status).toBe(409)
      const text = await page.text()
      expect(text).toContain('This link was answered already')
      expect(text).toContain(`The program was ${how} by it`)
    }
    const allow = async (link: URL) => {
      const started = await world.send('/oauth2/device', answer(link, 'allow'))
      return () => world.browser.get(world.provider.signIn(started.headers.get('location') ?? ''))
    }

    const allowed = await begin()
    const [first, second] = [await allow(allowed.link), await allow(allowed.link)] // two tabs
    expect((await first()).status).toBe(200)
    await again(await second(), 'allowed')
    await again(await world.browser.get(allowed.link.pathname + allowed.link.search), 'allowed')
    await again(await world.send('/oauth2/device', answer(allowed.link, 'deny')), 'allowed')
    expect(await allowed.redeem()).toMatchObject({ email: ada.email })
    await again(await world.send('/oauth2/device', answer(allowed.link, 'allow')), 'allowed')

    const refused = await begin()
    const late = await allow(refused.link)
    expect((await world.send('/oauth2/device', answer(refused.link, 'deny'))).status).toBe(200)
    await again(await late(), 'refused')
    await again(await world.send('/oauth2/device', answer(refused.link, 'allow')), 'refused')
    expect(await refused.redeem()).toEqual({ error: 'access_denied' })
  })

  test('gives its token to one asker only, and to no made-up code', async () => {
    const world = await tokenWorld()
    const asked = await world.send('/oauth2/device_authorization', form({ label: 'laptop' }))
    const { device_code: code, verification_uri: link } = (await asked.json()) as Record<string, string>
    const started = await world.send('/oauth2/device', answer(new URL(link ?? ''), 'allow'))
    await world.browser.get(world.provider.signIn(started.headers.get('location') ?? ''))
    const redeem = async (device_code = '') => (await world.send('/oauth2/device_token', form({ device_code }))).status
    const answers = await Promise.all(Array.from({ length: 20 }, () => redeem(code)))
    expect(answers.filter((status) => status === 200)).toHaveLength(1)
    for (const other of ['', 'x', new URL(link ?? '').searchParams.get('request') ?? '']) {
      expect(await redeem(other)).toBe(400)
    }
  })
})
