import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { HttpClient } from '../world/http-client.ts'
import { type AttackWorld, attackWorld, form, loginPage } from './attacks-world.ts'

let world: AttackWorld
beforeAll(async () => {
  world = await attackWorld()
})
afterAll(() => world.close())

const realm = '/auth/realms/platform/protocol/openid-connect'

/** The `Cookie` header a browser sends to a path. */
const cookiesFor = ({ cookies }: HttpClient, path: string) =>
  [...cookies.values()]
    .filter((cookie) => path.startsWith(cookie.path))
    .map(({ name, value }) => `${name}=${value}`)
    .join('; ')

const cookieOf = ({ cookies }: HttpClient, name: string) =>
  [...cookies.values()].find((cookie) => cookie.name === name)?.value

async function userOf(browser: HttpClient): Promise<string | null | undefined> {
  const answer = await browser.send(`${world.origin}/echo/?format=json`)
  return answer.status === 200 ? ((await answer.json()) as { user: string | null }).user : undefined
}

/** Whether the realm would let this browser in without a password. */
async function isSignedInAtRealm(browser: HttpClient): Promise<boolean> {
  const query = new URLSearchParams({
    ...{ client_id: 'notes', response_type: 'code', scope: 'openid', redirect_uri: `${world.origin}/notes/callback` },
    ...{ code_challenge: 'a'.repeat(43), code_challenge_method: 'S256', prompt: 'none' },
  })
  const answer = await browser.send(`${world.origin}${realm}/auth?${query}`)
  return answer.headers.get('location')?.includes('code=') ?? false
}

/** Signs in by hand up to the address that `marker` is in, without going there. */
async function signInUpTo(marker: string, username = 'grace'): Promise<{ browser: HttpClient; url: string }> {
  const { browser, page } = await loginPage(world)
  const action = /action="([^"]*)"/.exec(page.text)?.[1]?.replaceAll('&amp;', '&') ?? ''
  const body = new URLSearchParams({ username, password: world.passwordOf(username) })
  let response = await browser.send(action, { method: 'POST', body })
  for (;;) {
    const location = response.headers.get('location')
    if (location === null) throw new Error(`${marker} was not on the way`)
    const url = new URL(location, world.origin).href
    if (url.includes(marker)) return { browser, url }
    response = await browser.send(url)
  }
}

describe('an attacker’s half-finished sign-in finishes in no other browser', () => {
  const victims: readonly (readonly [name: string, open: () => Promise<HttpClient>])[] = [
    ['of a stranger', async () => world.newBrowser()],
    ['in the middle of a sign-in', async () => (await loginPage(world)).browser],
    ['that is signed in', async () => (await world.signIn('ada')).browser],
  ]

  test.each(victims)('at the proxy, in a browser %s', async (_, open) => {
    const attack = await signInUpTo('/oauth2/callback?')
    const victim = await open()
    const before = await userOf(victim)
    await victim.send(attack.url)
    expect(await userOf(victim)).toBe(before)
    await attack.browser.send(attack.url) // the code was not spent by the attempt
    expect(await userOf(attack.browser)).toBe('grace@example.com')
  })

  test.each(victims)('at the broker, in a browser %s', async (_, open) => {
    const attack = await signInUpTo('/dex/callback?')
    const victim = await open()
    const before = await userOf(victim)
    const page = await victim.follow(attack.url)
    expect(page.response.status).toBe(400)
    expect(page.text).toContain('another browser')
    expect(await userOf(victim)).toBe(before)
  })

  test.each(victims)('at the realm, in a browser %s', async (_, open) => {
    const { page } = await loginPage(world)
    const action = /action="([^"]*)"/.exec(page.text)?.[1]?.replaceAll('&amp;', '&') ?? ''
    const victim = await open()
    const before = await userOf(victim)
    const body = new URLSearchParams({ username: 'grace', password: world.passwordOf('grace') })
    const answer = await victim.send(action, { method: 'POST', body })
    expect(await userOf(victim)).toBe(before)
    if (before === undefined) {
      expect(answer.headers.get('location')).toBeNull()
      expect(await isSignedInAtRealm(victim)).toBe(false)
    }
  })

  test.each(victims)('at an app of its own, in a browser %s', async (_, open) => {
    const { browser } = await world.signIn('grace')
    const started = await browser.send(`${world.origin}/notes/`)
    const answered = await browser.send(started.headers.get('location') ?? '')
    const callback = answered.headers.get('location') ?? ''
    expect(callback).toContain('/notes/callback?')
    const victim = await open()
    const answer = await victim.send(callback)
    expect(answer.status).toBe(400)
    expect(cookieOf(victim, 'notes_session')).toBeUndefined()
  })
})

describe('a login form is worth nothing once it was used or altered', () => {
  test('its session code opens in no altered form', async () => {
    const { browser, page } = await loginPage(world)
    const action = new URL(/action="([^"]*)"/.exec(page.text)?.[1]?.replaceAll('&amp;', '&') ?? '')
    const code = action.searchParams.get('session_code') ?? ''
    const altered = [
      code.slice(0, -1) + (code.endsWith('A') ? 'B' : 'A'),
      (code.startsWith('A') ? 'B' : 'A') + code.slice(1),
      code.slice(0, 40),
      '',
      cookieOf(browser, 'KC_RESTART') ?? '', // sealed for another purpose
      new URL(page.url).searchParams.get('state') ?? '', // sealed by another part
    ]
    for (const other of altered) {
      action.searchParams.set('session_code', other)
      const body = new URLSearchParams({ username: 'ada', password: world.passwordOf('ada') })
      const answer = await browser.send(action.href, { method: 'POST', body })
      expect(answer.headers.get('location'), other.slice(0, 20)).toBeNull()
    }
    expect(await isSignedInAtRealm(browser)).toBe(false)
  })

  test('a callback that was used signs no copy of the browser in, however many come at once', async () => {
    const { browser, url } = await signInUpTo('/oauth2/callback?', 'ada')
    const cookie = cookiesFor(browser, '/oauth2/callback')
    const target = url.slice(world.origin.length)
    const answers = await Promise.all(
      Array.from({ length: 50 }, () => world.ask(target, { headers: [`Cookie: ${cookie}`] })),
    )
    const setsSession = (line: string) => /^gatehouse(_\d)?=[^;]/.test(line)
    const winners = answers.filter(({ headers }) =>
      headers.some(([name, value]) => name === 'set-cookie' && setsSession(value)),
    )
    expect(winners).toHaveLength(1)
    expect((await world.ask(target, { headers: [`Cookie: ${cookie}`] })).text).not.toMatch(/set-cookie: gatehouse=[^;]/)
  })
})

describe('a session that was planted before the sign-in is not the one after it', () => {
  const planted = { AUTH_SESSION_ID: 'plantedplantedplantedplanted', gatehouse: 'planted', dex_session: 'a.b' } as const

  test('every cookie that opens something has a new value', async () => {
    const attacker = (await world.signIn('grace')).browser
    const victim = world.newBrowser()
    const jar = victim.cookies as Map<string, { name: string; value: string; path: string; attributes: string }>
    for (const [key, cookie] of attacker.cookies) jar.set(key, cookie)
    for (const [key, cookie] of jar) {
      if (Object.hasOwn(planted, cookie.name)) {
        jar.set(key, { ...cookie, value: planted[cookie.name as keyof typeof planted] })
      }
    }
    // the victim is asked who they are, though the attacker's session is in their browser
    jar.delete('KEYCLOAK_IDENTITY /auth/realms/platform/')
    const page = await victim.follow(`${world.origin}/oauth2/start?rd=/echo/`)
    await victim.submit(page, { username: 'ada', password: world.passwordOf('ada') })
    expect(await userOf(victim)).toBe('ada@example.com')
    expect(await userOf(attacker)).toBe('grace@example.com')
    for (const name of ['AUTH_SESSION_ID', 'KEYCLOAK_IDENTITY', 'KEYCLOAK_SESSION', 'dex_session', 'gatehouse']) {
      const value = cookieOf(victim, name)
      expect(value, name).toBeDefined()
      expect([planted[name as keyof typeof planted], cookieOf(attacker, name)], name).not.toContain(value)
    }
  })

  test('the attacker’s own live session in the victim’s browser becomes nobody else’s', async () => {
    const attacker = (await world.signIn('grace')).browser
    const victim = world.newBrowser()
    const jar = victim.cookies as Map<string, { name: string; value: string; path: string; attributes: string }>
    for (const [key, cookie] of attacker.cookies) if (cookie.path.startsWith('/dex')) jar.set(key, cookie)
    const page = await victim.follow(`${world.origin}/oauth2/start?rd=/echo/`)
    await victim.submit(page, { username: 'ada', password: world.passwordOf('ada') })
    expect(await userOf(victim)).toBe('ada@example.com')
    expect(cookieOf(victim, 'dex_session')).not.toBe(cookieOf(attacker, 'dex_session'))
    await attacker.follow(`${world.origin}/oauth2/sign_out`)
    expect(await userOf(victim)).toBe('ada@example.com')
  })
})

describe('another site signs nobody out', () => {
  const fromElsewhere = ['Sec-Fetch-Site: cross-site', 'Sec-Fetch-Mode: navigate', 'Origin: https://evil.example']

  test.each(['/oauth2/sign_out', '/logout', '/authservice/logout', '/oauth2/sign_out?rd=/', '/logout?state=x'])(
    'at %s',
    async (path) => {
      const { browser } = await world.signIn('ada')
      for (const method of ['GET', 'POST', 'HEAD']) {
        for (const more of [[], ['Accept: application/json'], ['X-Requested-With: XMLHttpRequest']]) {
          const headers = [...fromElsewhere, ...more, `Cookie: ${cookiesFor(browser, path)}`]
          const answer = await world.ask(path, { method, headers, ...(method === 'POST' ? { body: '' } : {}) })
          expect([200, 403], `${method} ${path}`).toContain(answer.status)
          expect(answer.text).not.toMatch(/set-cookie: gatehouse=;/i)
        }
      }
      expect(await userOf(browser)).toBe('ada@example.com')
    },
  )

  test.each([
    ['the realm without a hint', () => `${realm}/logout`],
    ['the realm for a client', () => `${realm}/logout?client_id=notes`],
    ['the broker without a hint', () => '/dex/logout'],
    ['the broker for a client', () => '/dex/logout?client_id=gatehouse-proxy'],
  ])('at %s', async (_, path) => {
    const { browser } = await world.signIn('ada')
    const page = await browser.follow(`${world.origin}${path()}`)
    expect(page.response.status).toBe(200)
    expect(page.text).toMatch(/method="post"/)
    expect(await userOf(browser)).toBe('ada@example.com')
    expect(await isSignedInAtRealm(browser)).toBe(true)
  })

  test('with a token of its own as the hint', async () => {
    const attacker = (await world.signIn('grace')).browser
    const signOut = await attacker.send(`${world.origin}/oauth2/sign_out`)
    const brokerLogout = signOut.headers.get('location') ?? ''
    const hint = new URL(brokerLogout, world.origin).searchParams.get('id_token_hint') ?? ''
    expect(hint).not.toBe('')
    const { browser } = await world.signIn('ada')
    for (const path of ['/dex/logout', `${realm}/logout`]) {
      await browser.follow(`${world.origin}${path}?id_token_hint=${hint}`)
    }
    expect(await userOf(browser)).toBe('ada@example.com')
    expect(await isSignedInAtRealm(browser)).toBe(true)
  })

  test('with the confirmation its own browser was given', async () => {
    const attacker = (await world.signIn('grace')).browser
    const { browser } = await world.signIn('ada')
    for (const [path, target, field] of [
      ['/dex/logout', '/dex/logout', 'confirm'],
      [`${realm}/logout`, `${realm}/logout/logout-confirm`, 'session_code'],
    ] as const) {
      const page = await attacker.follow(`${world.origin}${path}`)
      const given = new RegExp(`name="${field}" value="([^"]*)"`).exec(page.text)?.[1] ?? expect.fail('no confirmation')
      for (const value of [given, 'x', '']) {
        const body = new URLSearchParams({ [field]: value })
        await browser.send(`${world.origin}${target}`, { method: 'POST', body })
      }
    }
    expect(await userOf(browser)).toBe('ada@example.com')
    expect(await isSignedInAtRealm(browser)).toBe(true)
  })

  test('but a user who confirms is signed out', async () => {
    const { browser } = await world.signIn('ada')
    const page = await browser.follow(`${world.origin}/oauth2/sign_out`, {
      headers: { 'sec-fetch-site': 'cross-site' },
    })
    expect(page.text).toContain('Another site asked')
    await browser.submit(page, {})
    expect(await userOf(browser)).toBeUndefined()
    expect(await isSignedInAtRealm(browser)).toBe(false)
  })
})

describe('another site neither writes nor reads', () => {
  test('an app’s form needs the token of its own session', async () => {
    const { browser } = await world.signIn('ada')
    const mine = await browser.follow(`${world.origin}/notes/`)
    const other = (await world.signIn('grace')).browser
    const theirs = await other.follow(`${world.origin}/notes/`)
    const csrfOf = (text: string) => /name="csrf" value="([^"]*)"/.exec(text)?.[1] ?? ''
    for (const csrf of ['', 'x', csrfOf(theirs.text)]) {
      const body = new URLSearchParams({ csrf, text: 'written by another site' })
      expect((await browser.send(`${world.origin}/notes/`, { method: 'POST', body })).status).toBe(403)
    }
    expect(csrfOf(mine.text)).not.toBe('')
    expect((await browser.follow(`${world.origin}/notes/`)).text).not.toContain('written by another site')
  })

  test.each([
    '/echo/?format=json',
    '/oauth2/userinfo',
    '/oauth2/auth',
    '/dex/userinfo',
    '/dex/token',
    '/dex/keys',
    '/dex/.well-known/openid-configuration',
    `${realm}/userinfo`,
    `${realm}/token`,
    `${realm}/certs`,
    `${realm}/auth`,
    `${realm}/logout`,
    '/auth/realms/platform',
    '/notes/',
    '/',
  ])('no answer of %s may be read with the visitor’s cookies', async (path) => {
    const { browser } = await world.signIn('ada')
    for (const origin of ['https://evil.example', 'null', `${world.origin}.evil.example`]) {
      const { header } = await world.ask(path, {
        headers: [`Origin: ${origin}`, `Cookie: ${cookiesFor(browser, path)}`],
      })
      expect(header('access-control-allow-credentials'), path).toBeUndefined()
      expect([undefined, '*'], path).toContain(header('access-control-allow-origin'))
    }
  })
})

test('credentials in a GET are none', async () => {
  const { browser, page } = await loginPage(world)
  const action = new URL(/action="([^"]*)"/.exec(page.text)?.[1]?.replaceAll('&amp;', '&') ?? '')
  action.searchParams.set('username', 'ada')
  action.searchParams.set('password', world.passwordOf('ada'))
  await browser.follow(action.href)
  expect(await isSignedInAtRealm(browser)).toBe(false)
  const { client_secret: _none, ...fields } = { ...form({}), client_secret: '' }
  expect((await world.ask(`${realm}/token?grant_type=password&username=ada`, fields)).status).toBe(400)
})
