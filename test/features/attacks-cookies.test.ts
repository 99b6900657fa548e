import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { HttpClient, StoredCookie } from '../world/http-client.ts'
import { type AttackWorld, attackWorld, cookieHeader, loginPage } from './attacks-world.ts'

let world: AttackWorld
beforeAll(async () => {
  world = await attackWorld()
})
afterAll(() => world.close())

const cookieOf = ({ cookies }: HttpClient, name: string) =>
  [...cookies.values()].find((cookie) => cookie.name === name)?.value ?? expect.fail(`no cookie ${name}`)

/** Every cookie of a browser for one path, as a `Cookie` header. */
const cookiesAt = ({ cookies }: HttpClient, path: string) =>
  [...cookies.values()]
    .filter((cookie) => path.startsWith(cookie.path))
    .map(({ name, value }) => `${name}=${value}`)
    .join('; ')

const realmAuth =
  '/auth/realms/platform/protocol/openid-connect/auth?client_id=notes&response_type=code&scope=openid' +
  `&code_challenge_method=S256&code_challenge=${'a'.repeat(43)}&redirect_uri=`

describe('a session cookie has one spelling', () => {
  const spellings: readonly (readonly [name: string, spell: (session: string) => string])[] = [
    ['padding twice', (session) => `${session}=`],
    ['junk behind the padding', (session) => `${session}=${'x'.repeat(1000)}`],
    ['no padding', (session) => session.replace(/=$/, '')],
    ['characters no alphabet has', (session) => `${session.slice(0, -4)}!${session.slice(-4)}`],
    ['the other alphabet', (session) => session.replace(/[-_](?=[^|]*$)/g, (mark) => (mark === '-' ? '+' : '/'))],
    ['white space inside', (session) => `${session.slice(0, -5)} ${session.slice(-5)}`],
    ['quotes around it', (session) => `"${session}"`],
    ['a dot behind it', (session) => `${session}.`],
  ]

  test.each(spellings)('%s is no session', async (_, spell) => {
    const { browser } = await world.signIn()
    const session = cookieOf(browser, 'gatehouse')
    const respelt = spell(session)
    if (respelt === session) return // this one has no character to respell
    expect((await world.ask('/echo/', { headers: [`Cookie: gatehouse=${respelt}`] })).status).toBe(302)
  })

  test('so no copy of it outlives the sign-out', async () => {
    const { browser } = await world.signIn()
    const session = cookieOf(browser, 'gatehouse')
    const copies = [session, ...spellings.map(([, spell]) => spell(session))]
    const inParts = [
      `gatehouse_0=${session.slice(0, 900)}; gatehouse_1=${session.slice(900)}`,
      `gatehouse=stale; gatehouse_0=${session}`,
    ]
    const cookies = [...copies.map((copy) => `gatehouse=${copy}`), ...inParts]
    const isIn = async (cookie: string) =>
      (await world.ask('/echo/', { headers: [`Cookie: ${cookie}`] })).status === 200
    expect(await isIn(`gatehouse=${session}`)).toBe(true)
    for (const cookie of cookies) await isIn(cookie) // whatever is remembered of a good one
    await browser.follow(`${world.origin}/oauth2/sign_out`)
    for (const cookie of cookies) expect(await isIn(cookie), cookie.slice(0, 40)).toBe(false)
  })
})

describe('a cookie that a sibling host planted does not hide the real one', () => {
  const orders: readonly (readonly [name: string, toss: (cookie: string, real: string) => string])[] = [
    ['before it', (planted, real) => `${planted}; ${real}`],
    ['behind it', (planted, real) => `${real}; ${planted}`],
    ['on both sides', (planted, real) => `${planted}; ${planted}2; ${real}; ${planted}3`],
  ]

  test.each(orders)('at the gateway: %s', async (_, toss) => {
    const { cookie } = await world.signIn()
    const answer = await world.ask('/echo/?format=json', { headers: [`Cookie: ${toss('gatehouse=planted', cookie)}`] })
    expect(answer.status).toBe(200)
    expect(answer.body).toContain('"user":"ada@example.com"')
  })

  test.each(orders)('at the realm: %s', async (_, toss) => {
    const { browser } = await world.signIn()
    const cookies = cookiesAt(browser, '/auth/realms/platform/protocol')
    const target = realmAuth + encodeURIComponent(`${world.origin}/notes/callback`)
    const answer = await world.ask(target, { headers: [`Cookie: ${toss('KEYCLOAK_IDENTITY=a.b.c', cookies)}`] })
    expect(answer.status).toBe(302)
    expect(answer.header('location')).toContain('/notes/callback?')
  })

  test.each(orders)('at the broker: %s', async (_, toss) => {
    const { browser } = await world.signIn()
    const cookies = cookiesAt(browser, '/dex/logout')
    const answer = await world.ask('/dex/logout', { headers: [`Cookie: ${toss('dex_session=x.y', cookies)}`] })
    expect(answer.body).toContain('name="confirm"') // it knows a session to end, so it asks
  })

  test('and a planted half-login neither completes nor blocks a real one', async () => {
    const { browser, page } = await loginPage(world)
    const jar = browser.cookies as Map<string, StoredCookie> // a sibling host writes into it
    for (const cookie of [...jar.values()].filter(({ name }) => name.endsWith('_csrf'))) {
      jar.set(`${cookie.name} planted`, { ...cookie, value: 'planted' })
    }
    const landed = await browser.submit(page, { username: 'ada', password: world.passwordOf() })
    expect([landed.url, landed.response.status]).toEqual([`${world.origin}/echo/`, 200])
  })
})

test('a storm of redirects leaves a browser at most five logins in progress', async () => {
  const browser = world.newBrowser()
  await Promise.all(Array.from({ length: 60 }, () => browser.send(`${world.origin}/echo/`)))
  await browser.send(`${world.origin}/echo/`)
  const ours = [...browser.cookies.values()].filter(({ name }) => name.endsWith('_csrf'))
  expect(ours).toHaveLength(5)
  const page = await browser.follow(`${world.origin}/echo/`)
  const landed = await browser.submit(page, { username: 'ada', password: world.passwordOf() })
  expect(landed.response.status).toBe(200)
  expect(cookieHeader(browser).length).toBeLessThan(8_000)
})

test.each([
  ['sixty large ones', Array.from({ length: 60 }, (_, at) => `c${at}=${'x'.repeat(900)}`)],
  ['ours, sixty times', Array.from({ length: 60 }, (_, at) => `gatehouse_${at}=${'x'.repeat(800)}`)],
  ['half-logins by the hundred', Array.from({ length: 900 }, (_, at) => `gatehouse_${10_000_000 + at}_csrf=x`)],
  ['names without values', Array.from({ length: 900 }, (_, at) => `gatehouse${at}`)],
  ['bytes that are no text', ['gatehouse=\xff\xfe; dex_session=\xff.\xff; KEYCLOAK_IDENTITY=\xff; notes_session=\xff']],
  ['names that JavaScript knows', ['__proto__=1; constructor=2; toString=3; hasOwnProperty=4']],
])('cookies of a strange kind make no error: %s', async (_, cookies) => {
  const paths = ['/echo/', '/notes/', '/oauth2/userinfo', '/dex/logout', realmAuth]
  for (const path of paths) {
    const answer = await world.ask(path, { headers: [`Cookie: ${cookies.join('; ')}`] })
    expect(answer.status, path).toBeGreaterThanOrEqual(200)
    expect(answer.status, path).toBeLessThan(500)
    if (path === '/echo/') expect(answer.status).not.toBe(200)
  }
})

test('cookies beyond what the listener takes are refused, and the next request is served', async () => {
  const cookies = Array.from({ length: 80 }, (_, at) => `c${at}=${'x'.repeat(900)}`).join('; ')
  expect((await world.ask('/echo/', { headers: [`Cookie: ${cookies}`] })).status).toBe(431)
  expect((await world.ask('/dex/healthz')).status).toBe(200)
})

describe.each([
  ['http', undefined],
  ['https', 'https://platform.example.com'],
] as const)('over %s every cookie is ours alone', (scheme, publicUrl) => {
  test('on the whole way through sign-in, both apps and sign-out', async () => {
    const chain = publicUrl === undefined ? world : await attackWorld({ publicUrl })
    const lines: string[] = []
    const browser = chain.newBrowser(({ headers }) => {
      for (const [name, value] of headers) if (name === 'set-cookie') lines.push(value)
    })
    const page = await browser.follow(`${chain.origin}/echo/`)
    const landed = await browser.submit(page, { username: 'ada', password: chain.passwordOf() })
    expect(landed.response.status).toBe(200)
    expect((await browser.follow(`${chain.origin}/notes/`)).response.status).toBe(200)
    await browser.follow(`${chain.origin}/oauth2/sign_out`)
    const names = lines.map((line) => line.replace(/=.*/, '').replace(/_[\w-]{8}_csrf$/, '_csrf'))
    expect([...new Set(names.map((name) => name.replace(/^(notes_login_).*/, '$1')))].toSorted()).toEqual([
      ...['AUTH_SESSION_ID', 'KC_RESTART', 'KEYCLOAK_IDENTITY', 'KEYCLOAK_SESSION', 'dex_session', 'gatehouse'],
      ...['gatehouse_broker', 'gatehouse_csrf', 'notes_login_', 'notes_session'],
    ])
    for (const line of lines) {
      // Keycloak's own scripts read KEYCLOAK_SESSION; it holds a hash and opens nothing.
      if (!line.startsWith('KEYCLOAK_SESSION=')) expect(line).toContain('; HttpOnly')
      expect(line).toMatch(/; SameSite=(Lax|Strict|None)/)
      expect(line).toMatch(/; Path=\/(auth\/realms\/platform\/|dex|notes\/)?;/)
      expect(line).not.toMatch(/Domain=/i)
      if (scheme === 'https') expect(line).toContain('; Secure')
      else expect(line).not.toContain('SameSite=None')
    }
    if (chain !== world) await chain.close()
  })
})
