import { expect, test } from 'vitest'
import {
  authPath,
  claimsOf,
  openBrowser,
  openWorld,
  passwordHash,
  redeem,
  signIn,
  tokenRequest,
  user,
} from './broker-world.ts'

async function loginPage(config: Record<string, unknown> = {}) {
  const world = await openWorld(config)
  const browser = openBrowser(world.broker)
  const { path, response } = await browser.follow(authPath({}, '/dex/auth/local'))
  return { ...world, browser, path, page: await response.text() }
}

test('the form has Dex’s fields, nothing hidden, and posts to its own URL', async () => {
  const { page, path } = await loginPage()
  const inputs = [...page.matchAll(/<input id="(\w+)" name="(\w+)" type="(\w+)"/g)].map(([, ...names]) => names)
  expect(inputs).toEqual([
    ['login', 'login', 'text'],
    ['password', 'password', 'password'],
  ])
  expect(page).not.toContain('type="hidden"')
  expect(page).toContain('id="submit-login"')
  expect(page).toContain(`action="${path.replaceAll('&', '&amp;')}"`)
})

test('a wrong password shows the form again with 401 and the name typed, and the right one then signs in', async () => {
  const { browser, path } = await loginPage()
  const wrong = await browser.post(path, { login: '"><b>ada', password: 'wrong' })
  expect(wrong.status).toBe(401)
  const page = await wrong.text()
  expect(page).toContain('Invalid Email Address and password.')
  expect(page).toContain('value="&quot;&gt;&lt;b&gt;ada"')
  expect((await browser.post(path, { login: user.email, password: 'password' })).status).toBe(303)
})

test('unknown user, empty name and empty password look all the same', async () => {
  const { browser, path } = await loginPage()
  const answers = []
  for (const [login, password] of [
    ['nobody@example.com', 'password'],
    [user.email, 'wrong'],
    [user.email, ''],
    ['', ''],
  ] as const) {
    const response = await browser.post(path, { login, password })
    answers.push([response.status, (await response.text()).replaceAll(login, '').replaceAll(' autofocus', '')])
  }
  expect(new Set(answers.map((answer) => JSON.stringify(answer))).size).toBe(1)
  expect(answers[0]?.[0]).toBe(401)
})

test('the e-mail’s case does not matter; name, groups and verification come from the configuration', async () => {
  const { broker } = await openWorld({
    staticPasswords: [
      {
        ...user,
        email: 'User@Example.com',
        name: '',
        emailVerified: false,
        hash: Buffer.from(passwordHash).toString('base64'),
      },
    ],
  })
  const code = await signIn(openBrowser(broker), {}, { login: 'uSER@eXAMPLE.COM', password: 'password' })
  expect(claimsOf((await redeem(broker, code)).id_token)).toMatchObject({
    email: 'User@Example.com',
    email_verified: false,
    name: 'user',
    groups: user.groups,
  })
})

test('there is a way back to the other connectors where there are some', async () => {
  expect((await loginPage()).page).not.toContain('Sign in another way')
  const { page, browser } = await loginPage({ connectors: [{ type: 'mockCallback', id: 'mock', name: 'Example' }] })
  const back = /href="([^"]+)">Sign in another way/.exec(page)?.[1]?.replaceAll('&amp;', '&') ?? ''
  expect(back).toMatch(/^\/dex\/auth\?/)
  expect((await browser.get(back)).status).toBe(200)
})

test('guessing is slowed down for one account from one address, and its owner elsewhere is not locked out', async () => {
  const { broker, browser, path, clock } = await loginPage()
  const guess = async () => (await browser.post(path, { login: user.email, password: 'wrong' })).status
  const guesses = await Promise.all(Array.from({ length: 100 }, guess))
  expect(guesses.filter((status) => status === 401)).toHaveLength(5)
  expect(guesses.filter((status) => status === 429)).toHaveLength(95)
  const blocked = await browser.post(path, { login: user.email.toUpperCase(), password: 'password' })
  expect([blocked.status, blocked.headers.get('retry-after')]).toEqual([429, '1'])

  expect(await signIn(openBrowser(broker, { address: '198.51.100.7' }))).not.toBe('')
  clock.advance(1000)
  expect(await guess()).toBe(401)
  clock.advance(1000)
  expect(await guess()).toBe(429)
  clock.advance(1000)
  expect((await browser.post(path, { login: user.email, password: 'password' })).status).toBe(303)
})

test('one address cannot try many accounts', async () => {
  const { browser, path } = await loginPage({
    staticPasswords: Array.from({ length: 2 }, (_, index) => ({
      ...user,
      email: `u${index}@example.com`,
      userID: `${index}`,
    })),
  })
  const statuses = new Set<number>()
  for (let index = 0; index < 60; index += 1) {
    statuses.add((await browser.post(path, { login: `nobody${index}@example.com`, password: 'x' })).status)
  }
  expect([...statuses]).toEqual([401, 429])
})

test('a flood from many addresses is told to come back, and passes', async () => {
  const { broker, path, browser } = await loginPage()
  const visitors = Array.from({ length: 120 }, (_, index) => openBrowser(broker, { address: `198.51.100.${index}` }))
  for (const visitor of visitors) for (const [name, value] of browser.cookies) visitor.cookies.set(name, value)
  const answers = await Promise.all(visitors.map((visitor) => visitor.post(path, { login: user.email, password: 'x' })))
  const statuses = answers.map(({ status }) => status)
  expect(new Set(statuses)).toEqual(new Set([401, 503]))
  expect(statuses.filter((status) => status === 401).length).toBeGreaterThanOrEqual(64)
  expect((await browser.post(path, { login: user.email, password: 'password' })).status).toBe(303)
})

test('Kubeflow’s own login script gets in: with one connector, with a choice, and past an approval page', async () => {
  for (const config of [
    {},
    { connectors: [{ type: 'mockCallback', id: 'mock', name: 'Example' }], oauth2: { skipApprovalScreen: false } },
  ]) {
    const { broker } = await openWorld(config)
    const session = openBrowser(broker)
    let { path, response } = await session.follow(authPath({ prompt: 'none' }))
    expect(response.status).toBe(200)
    if (/\/auth$/.test(path.split('?')[0] ?? '')) path = path.replace('/auth?', '/auth/local?')
    if (!/\/auth\/.*\/login$/.test(path.split('?')[0] ?? '')) ({ path, response } = await session.follow(path))
    response = await session.post(path, { login: user.email, password: 'password' })
    let location = response.headers.get('location') ?? ''
    if (location.startsWith('/dex/approval')) {
      expect((await session.get(location)).status).toBe(200)
      response = await session.post(location, { approval: 'approve' })
      location = response.headers.get('location') ?? ''
    }
    const code = /^\/oauth2\/callback\?code=([^&]+)/.exec(location)?.[1] ?? ''
    const form = { grant_type: 'authorization_code', code, redirect_uri: '/oauth2/callback' }
    expect((await tokenRequest(broker, form)).status).toBe(200)
  }
})

test('a connector that is not asked by password has no password page', async () => {
  const { broker } = await openWorld({ connectors: [{ type: 'mockCallback', id: 'mock', name: 'Example' }] })
  const browser = openBrowser(broker)
  const { response } = await browser.follow(authPath({}, '/dex/auth/mock'))
  const state = new URL(response.headers.get('location') ?? '').searchParams.get('state') ?? ''
  expect((await browser.get(`/dex/auth/mock/login?state=${state}`)).status).toBe(500)
})
