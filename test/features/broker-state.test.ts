import { expect, test } from 'vitest'
import { authPath, openBrowser, openWorld, redeem, signIn, user } from './broker-world.ts'

const right = { login: user.email, password: 'password' }
const mocks = {
  connectors: [
    { type: 'mockCallback', id: 'a', name: 'A' },
    { type: 'mockCallback', id: 'b', name: 'B' },
  ],
}

test('nothing is stored before someone has authenticated', async () => {
  const { broker, countRecords } = await openWorld(mocks)
  const browser = openBrowser(broker)
  for (let visit = 0; visit < 20; visit += 1) {
    const { path } = await browser.follow(authPath({}, '/dex/auth/local'))
    await browser.post(path, { login: user.email, password: 'wrong' })
    await browser.follow(authPath({}, '/dex/auth/a'))
    await browser.get('/dex/callback?state=x&code=y')
  }
  expect(await countRecords()).toBe(0)
  await signIn(openBrowser(broker, { address: '198.51.100.7' }))
  expect(await countRecords()).toBeGreaterThan(0)
})

test('a sign-in begun before a restart is finished after it, its code redeemed by another replica', async () => {
  const { broker, reopen } = await openWorld()
  const browser = openBrowser(broker)
  const { path } = await browser.follow(authPath({}, '/dex/auth/local'))
  const restarted = openBrowser(await reopen())
  for (const [name, value] of browser.cookies) restarted.cookies.set(name, value)
  const answer = await restarted.post(path, right)
  const code = /code=([^&]+)/.exec(answer.headers.get('location') ?? '')?.[1] ?? ''
  expect((await redeem(await reopen(), code)).token_type).toBe('bearer')
})

test('several tabs sign in side by side', async () => {
  const { broker } = await openWorld()
  const browser = openBrowser(broker)
  const tabs = []
  for (const state of ['one', 'two', 'three']) {
    tabs.push((await browser.follow(authPath({ state }, '/dex/auth/local'))).path)
  }
  const states = []
  for (const path of tabs.reverse()) {
    states.push(/state=(\w+)/.exec((await browser.post(path, right)).headers.get('location') ?? '')?.[1])
  }
  expect(states).toEqual(['three', 'two', 'one'])
})

test('going back after signing in leads to a fresh start, not to a dead end', async () => {
  const { broker } = await openWorld()
  const browser = openBrowser(broker)
  const { path } = await browser.follow(authPath({}, '/dex/auth/local'))
  expect((await browser.post(path, right)).status).toBe(303)
  const again = await browser.post(path, right)
  expect(again.status).toBe(303)
  const fresh = await browser.follow(again.headers.get('location') ?? '')
  expect((await browser.post(fresh.path, right)).headers.get('location')).toMatch(
    /^\/oauth2\/callback\?code=.*&state=proxy-state$/,
  )
})

test('a sign-in takes as long as expiry.authRequests', async () => {
  const { broker, clock } = await openWorld({ expiry: { authRequests: '1h' } })
  const browser = openBrowser(broker)
  const { path } = await browser.follow(authPath({}, '/dex/auth/local'))
  clock.advance(3_600_000)
  expect((await browser.post(path, right)).status).toBe(400)
})

test('the state of one connector is refused at another', async () => {
  const { broker } = await openWorld(mocks)
  const browser = openBrowser(broker)
  const { response } = await browser.follow(authPath({}, '/dex/auth/b'))
  const { search } = new URL(response.headers.get('location') ?? '')
  const answer = await browser.get(`/dex/callback/a${search}`)
  expect([answer.status, answer.headers.get('location')]).toEqual([500, null])
  expect((await browser.get(`/dex/auth/local/login${search}`)).status).toBe(500)
  expect((await browser.get(`/dex/callback/b${search}`)).status).toBe(303)
})

test('a sign-in begun in one browser is not finished in another', async () => {
  const { broker } = await openWorld(mocks)
  const attacker = openBrowser(broker)
  const away = new URL((await attacker.follow(authPath({}, '/dex/auth/a'))).response.headers.get('location') ?? '')
  const { path } = await attacker.follow(authPath({}, '/dex/auth/local'))
  const victims = [openBrowser(broker), openBrowser(broker)]
  await victims[1]?.follow(authPath({}, '/dex/auth/a'))
  for (const victim of victims) {
    for (const answer of [await victim.get(`${away.pathname}${away.search}`), await victim.post(path, right)]) {
      expect([answer.status, answer.headers.get('location')]).toEqual([400, null])
      expect(await answer.text()).toContain('Start again')
    }
  }
  expect((await attacker.get(`${away.pathname}${away.search}`)).status).toBe(303)
})

test('a state that was altered, of another place or made up is refused', async () => {
  const { broker } = await openWorld(mocks)
  const browser = openBrowser(broker)
  const away = new URL((await browser.follow(authPath({}, '/dex/auth/a'))).response.headers.get('location') ?? '')
  const state = away.searchParams.get('state') ?? ''
  const flipped = `${state.slice(0, 40)}${state[40] === 'A' ? 'B' : 'A'}${state.slice(41)}`
  for (const bad of ['', 'x', flipped, state.slice(0, -1), `${state}${state}`, '../../etc', '%00']) {
    const answer = await browser.get(`/dex/callback?${new URLSearchParams({ state: bad, code: 'x' })}`)
    expect([answer.status, answer.headers.get('location')], bad).toEqual([400, null])
  }
  expect((await browser.post('/dex/callback', { state })).status).toBe(400)
})

test('a cookie planted by another site beside the browser’s own does no harm', async () => {
  const { broker } = await openWorld()
  const browser = openBrowser(broker)
  const { path } = await browser.follow(authPath({}, '/dex/auth/local'))
  const cookie = [...browser.cookies].map(([name, value]) => `${name}=${value}`).join('; ')
  for (const header of [`gatehouse_broker=planted; ${cookie}`, `${cookie}; gatehouse_broker=planted`]) {
    const response = await broker.fetch(new Request(`http://x${path}`, { headers: { cookie: header } }))
    expect(response.status).toBe(200)
  }
})

test('cookies stay with the broker: its path, no script, no other site; secure where the issuer is', async () => {
  const cookieOf = async (issuer: string) => {
    const { broker } = await openWorld({ issuer })
    const response = await broker.fetch(new Request(`https://kubeflow.example.com${authPath({}, '/dex/auth/local')}`))
    return response.headers.getSetCookie()
  }
  expect(await cookieOf('http://dex.auth.svc.cluster.local:5556/dex')).toEqual([
    expect.stringMatching(/^gatehouse_broker=[\w-]{22}; Path=\/dex; HttpOnly; SameSite=Lax$/),
  ])
  expect(await cookieOf('https://kubeflow.example.com/dex')).toEqual([
    expect.stringMatching(/^gatehouse_broker=[\w-]{22}; Path=\/dex; HttpOnly; Secure; SameSite=Lax$/),
  ])
})

test('an issuer at the root of its host, or with a trailing slash, works alike', async () => {
  for (const [issuer, base] of [
    ['https://dex.example.com', ''],
    ['https://dex.example.com/', ''],
    ['https://example.com/a/dex/', '/a/dex'],
  ] as const) {
    const { broker } = await openWorld({ issuer })
    const browser = openBrowser(broker)
    const document = await (await browser.get(`${base}/.well-known/openid-configuration`)).json()
    expect(document).toMatchObject({ issuer, token_endpoint: `${issuer.replace(/\/$/, '')}/token` })
    const { path } = await browser.follow(authPath({}, `${base}/auth`), `${base}/auth`)
    expect((await browser.post(path, right)).headers.get('location')).toMatch(/^\/oauth2\/callback\?code=/)
  }
})

test('links are built from the configuration, whatever Host and forwarding headers say', async () => {
  const { broker } = await openWorld(mocks)
  const headers = { host: 'evil.example.com', 'x-forwarded-host': 'evil.example.com', 'x-forwarded-proto': 'gopher' }
  const answers = [
    await broker.fetch(new Request(`http://evil.example.com${authPath({}, '/dex/auth/a')}`, { headers })),
    await broker.fetch(new Request('http://evil.example.com/dex/.well-known/openid-configuration', { headers })),
    await broker.fetch(new Request(`http://evil.example.com${authPath()}`, { headers })),
  ]
  for (const answer of answers) {
    expect(`${answer.headers.get('location')} ${await answer.text()}`).not.toContain('evil.example.com')
  }
})
