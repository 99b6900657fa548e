import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { testClock } from '../world/clock.ts'
import { authUrl, claimsOf, formAction, realmWorld, redeem, signIn, smallRealm } from './realm-world.ts'

const ada = { username: 'ada', password: 'correct horse' }

test('the login form has the names, ids and parameters that scripts written for Keycloak look for', async () => {
  const world = await realmWorld()
  const page = await world.browser().fetch(authUrl(world, { login_hint: 'ada' }))
  expect(page.status).toBe(200)
  const text = await page.clone().text()
  for (const wanted of [
    /<form[^>]* id="kc-form-login"[^>]* method="post"/,
    /<input id="username" name="username" type="text" value="ada" autocomplete="username"/,
    /<input id="password" name="password" type="password" value="" autocomplete="current-password"/,
    /<input type="hidden"[^>]* name="credentialId"/,
    /<button[^>]* id="kc-login"/,
    /<title>Sign in · Kubeflow<\/title>/,
  ]) {
    expect(text).toMatch(wanted)
  }
  const action = new URL(await formAction(page))
  expect(`${action.origin}${action.pathname}`).toBe(`${world.issuer}/login-actions/authenticate`)
  expect([...action.searchParams.keys()]).toEqual(['session_code', 'execution', 'client_id', 'tab_id'])
})

test('nothing is stored for a visitor who has not signed in', async () => {
  const world = await realmWorld()
  const rows = async () => {
    const tables = ['records', 'realm_sessions', 'realm_client_sessions'] as const
    const counts = tables.map((table) =>
      world.database
        .selectFrom(table as 'realm_sessions')
        .selectAll()
        .execute(),
    )
    return (await Promise.all(counts)).flat().length
  }
  for (let visitor = 0; visitor < 20; visitor += 1) await world.browser().fetch(authUrl(world))
  expect(await rows()).toBe(0)
})

test('on https the cookies are Secure and SameSite=None, on http Lax', async () => {
  const secure = await realmWorld()
  const browser = secure.browser()
  await signIn(secure, browser)
  const attributes = Object.fromEntries([...browser.cookies.values()].map((cookie) => [cookie.name, cookie.attributes]))
  expect(attributes).toEqual({
    AUTH_SESSION_ID: 'Path=/auth/realms/kubeflow/; HttpOnly; Secure; SameSite=None',
    KEYCLOAK_IDENTITY: 'Path=/auth/realms/kubeflow/; HttpOnly; Secure; SameSite=None',
    KEYCLOAK_SESSION: 'Path=/auth/realms/kubeflow/; Max-Age=36000; Secure; SameSite=None',
  })
  const plain = await realmWorld({ publicUrl: 'http://localhost:8080' })
  const page = await plain.browser().fetch(authUrl(plain))
  for (const cookie of page.headers.getSetCookie())
    expect(cookie).toMatch(/; Path=\/realms\/kubeflow\/; HttpOnly; SameSite=Lax$/)
})

test('a wrong password, an unknown user and nothing at all are answered alike', async () => {
  const world = await realmWorld()
  const attempts = [{ username: 'ada', password: 'wrong' }, { username: 'nobody', password: 'wrong' }, {}]
  for (const attempt of attempts) {
    const browser = world.browser()
    const page = await browser.fetch(authUrl(world))
    const answer = await browser.post(await formAction(page), attempt as Record<string, string>)
    const text = await answer.clone().text()
    expect(answer.status).toBe(200)
    expect(text).toMatch(/role="alert">Invalid username or password\.</)
    expect(text).toContain('aria-invalid="true" aria-describedby="input-error"')
    expect((await browser.post(await formAction(answer), ada)).status).toBe(302)
  }
})

test('a disabled user learns so only with the right password', async () => {
  const users = [{ username: 'off', enabled: false, credentials: [{ value: 'pw' }] }]
  const world = await realmWorld({ realm: { ...smallRealm, users } })
  const browser = world.browser()
  const action = await formAction(await browser.fetch(authUrl(world)))
  const wrong = await (await browser.post(action, { username: 'off', password: 'x' })).text()
  const right = await (await browser.post(action, { username: 'off', password: 'pw' })).text()
  expect(wrong).toContain('Invalid username or password.')
  expect(right).toContain('Account is disabled, contact your administrator.')
})

test('two tabs sign in side by side, into one session', async () => {
  const world = await realmWorld()
  const browser = world.browser()
  const [one, two] = [
    await formAction(await browser.fetch(authUrl(world, { state: 'one' }))),
    await formAction(await browser.fetch(authUrl(world, { state: 'two' }))),
  ]
  const second = new URL((await browser.post(two, ada)).headers.get('location') ?? '')
  const first = new URL((await browser.post(one, ada)).headers.get('location') ?? '')
  expect([first, second].map((url) => url.searchParams.get('state'))).toEqual(['one', 'two'])
  expect(first.searchParams.get('session_state')).toBe(second.searchParams.get('session_state'))
})

test('an old form, found by the back button, just leads on', async () => {
  const world = await realmWorld()
  const browser = world.browser()
  const action = await formAction(await browser.fetch(authUrl(world)))
  await browser.post(action, ada)
  const again = await browser.post(action, { username: 'ada', password: 'mistyped' })
  expect(new URL(again.headers.get('location') ?? '').searchParams.has('code')).toBe(true)
})

test('a login begun before a restart ends after it', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'gatehouse-'))
  const options = { file: join(folder, 'realm.db'), clock: testClock() }
  try {
    const before = await realmWorld(options)
    const jar = before.browser()
    const action = await formAction(await jar.fetch(authUrl(before)))
    await before.close()
    const after = await realmWorld(options)
    const cookie = [...jar.cookies.values()].map(({ name, value }) => `${name}=${value}`).join('; ')
    const answer = await after.browser().post(action, ada, { cookie })
    const tokens = await redeem(after, new URL(answer.headers.get('location') ?? ''))
    expect(claimsOf(tokens.id_token)).toMatchObject({ sub: smallRealm.users[0]?.id, preferred_username: 'ada' })
    await after.close()
  } finally {
    rmSync(folder, { recursive: true })
  }
})

test('a form that has timed out begins anew from the cookie, with the same request', async () => {
  const world = await realmWorld()
  const browser = world.browser()
  const action = await formAction(await browser.fetch(authUrl(world, { state: 'kept' })))
  world.clock.advance(1_800_000)
  const page = await browser.post(action, ada)
  expect(await page.clone().text()).toContain('Your login attempt timed out. Login will start from the beginning.')
  const answer = await browser.post(await formAction(page), ada)
  expect(new URL(answer.headers.get('location') ?? '').searchParams.get('state')).toBe('kept')
})

test('a form posted from another browser signs nobody in (login CSRF)', async () => {
  const world = await realmWorld()
  const attacker = world.browser()
  const action = await formAction(await attacker.fetch(authUrl(world)))
  const bare = await world.browser().post(action, ada)
  expect([bare.status, (await bare.text()).includes('Restart login cookie not found')]).toEqual([400, true])

  const victim = world.browser()
  await victim.fetch(authUrl(world))
  const page = await victim.post(action, ada)
  expect([page.status, page.headers.get('location')]).toEqual([200, null])
  expect([...victim.cookies.values()].map(({ name }) => name)).not.toContain('KEYCLOAK_IDENTITY')
  expect((await victim.post(await formAction(page), ada)).status).toBe(302)
})

test('what a browser is known by changes when it signs in (session fixation)', async () => {
  const world = await realmWorld()
  const browser = world.browser()
  const id = () => [...browser.cookies.values()].find(({ name }) => name === 'AUTH_SESSION_ID')?.value
  const action = await formAction(await browser.fetch(authUrl(world)))
  const before = id()
  const redirect = new URL((await browser.post(action, ada)).headers.get('location') ?? '')
  expect(id()).not.toBe(before)
  expect(before).not.toContain(redirect.searchParams.get('session_state'))
})

test('altered, foreign and mistyped identity cookies are nobody’s', async () => {
  const world = await realmWorld()
  const browser = world.browser()
  const tokens = await redeem(world, await signIn(world, browser))
  const identity = [...browser.cookies.values()].find(({ name }) => name === 'KEYCLOAK_IDENTITY')?.value ?? ''
  const [header, claims] = identity.split('.')
  const none = `${Buffer.from('{"alg":"none"}').toString('base64url')}.${claims}.`
  const other = await realmWorld({ realm: { ...smallRealm, realm: 'other' } })
  for (const cookie of [
    `${identity.slice(0, -3)}abc`,
    `${header}.${claims}.`,
    none,
    tokens.refresh_token,
    tokens.access_token,
  ]) {
    const page = await world.browser().fetch(authUrl(world), { headers: { cookie: `KEYCLOAK_IDENTITY=${cookie}` } })
    expect(page.status).toBe(200)
  }
  const page = await other.browser().fetch(authUrl(other), { headers: { cookie: `KEYCLOAK_IDENTITY=${identity}` } })
  expect(page.status).toBe(200)
})

test('signing in again renews one’s session, signing in as somebody else ends it', async () => {
  const world = await realmWorld()
  const browser = world.browser()
  const first = await redeem(world, await signIn(world, browser))
  world.clock.advance(60_000)
  const again = await redeem(world, await signIn(world, browser, { prompt: 'login' }))
  expect(again['session_state']).toBe(first['session_state'])
  expect(claimsOf(again.id_token)['auth_time']).toBe(world.clock.now() / 1000)

  const bob = await redeem(
    world,
    await signIn(world, browser, { prompt: 'login', username: 'bob', password: 'battery staple' }),
  )
  expect(bob['session_state']).not.toBe(first['session_state'])
  const userinfo = await browser.fetch(`${world.oidc}/userinfo`, {
    headers: { authorization: `Bearer ${again.access_token}` },
  })
  expect(userinfo.status).toBe(401)
})

test('a remembered browser keeps its cookie and its longer session', async () => {
  const realm = {
    ...smallRealm,
    rememberMe: true,
    ssoSessionMaxLifespanRememberMe: 864_000,
    ssoSessionIdleTimeoutRememberMe: 432_000,
  }
  const world = await realmWorld({ realm })
  const browser = world.browser()
  const page = await browser.fetch(authUrl(world))
  expect(await page.clone().text()).toContain('id="rememberMe"')
  await browser.post(await formAction(page), { ...ada, rememberMe: 'on' })
  const identity = [...browser.cookies.values()].find(({ name }) => name === 'KEYCLOAK_IDENTITY')
  expect(identity?.attributes).toContain('Max-Age=864000')
  world.clock.advance(400_000_000)
  expect((await browser.fetch(authUrl(world))).status).toBe(302)
})

test('a temporary password must be changed before anyone is signed in', async () => {
  const users = [{ username: 'new', credentials: [{ value: 'first', temporary: true }] }]
  const world = await realmWorld({ realm: { ...smallRealm, users } })
  const browser = world.browser()
  const page = await browser.fetch(authUrl(world))
  const update = await browser.post(await formAction(page), { username: 'new', password: 'first' })
  expect(await update.clone().text()).toContain('id="kc-passwd-update-form"')
  expect([...browser.cookies.values()].map(({ name }) => name)).not.toContain('KEYCLOAK_IDENTITY')

  const action = await formAction(update)
  const mismatch = await browser.post(action, { 'password-new': 'second', 'password-confirm': 'other' })
  expect(await mismatch.text()).toContain('Passwords don&#39;t match.')
  const stranger = await world.browser().post(action, { 'password-new': 'evil', 'password-confirm': 'evil' })
  expect(stranger.status).toBe(400)
  const done = await browser.post(action, { 'password-new': 'second', 'password-confirm': 'second' })
  expect(new URL(done.headers.get('location') ?? '').searchParams.has('code')).toBe(true)
  const replay = await browser.post(action, { 'password-new': 'third', 'password-confirm': 'third' })
  expect(replay.status).toBe(400)
  await signIn(world, world.browser(), { username: 'new', password: 'second' })
})

test('a user with a second factor, or an action nobody can do here, is not let in without it', async () => {
  const otp = { type: 'otp', secretData: '{"value":"s"}', credentialData: '{"subType":"totp"}' }
  const users = [
    { username: 'otp', credentials: [{ value: 'pw' }, otp] },
    { username: 'totp', requiredActions: ['CONFIGURE_TOTP'], credentials: [{ value: 'pw' }] },
    { username: 'profile', requiredActions: ['VERIFY_PROFILE'], credentials: [{ value: 'pw' }] },
  ]
  const world = await realmWorld({ realm: { ...smallRealm, users } })
  for (const username of ['otp', 'totp']) {
    const browser = world.browser()
    const answer = await browser.post(await formAction(await browser.fetch(authUrl(world))), {
      username,
      password: 'pw',
    })
    expect(await answer.text()).toContain('Account is not fully set up')
    expect([...browser.cookies.values()].map(({ name }) => name)).not.toContain('KEYCLOAK_IDENTITY')
  }
  await signIn(world, world.browser(), { username: 'profile', password: 'pw' })
})

test('a login form for another client than it was made for is refused', async () => {
  const world = await realmWorld()
  const browser = world.browser()
  const action = new URL(await formAction(await browser.fetch(authUrl(world))))
  action.searchParams.set('client_id', 'spa')
  const page = await browser.post(action.href, ada)
  expect([
    page.status,
    (await page.text()).includes('An error occurred, please login again through your application.'),
  ]).toEqual([400, true])
})

test('opening the address of a form shows the form, and counts as no attempt', async () => {
  const world = await realmWorld()
  const browser = world.browser()
  const action = await formAction(await browser.fetch(authUrl(world)))
  for (let time = 0; time < 10; time += 1) {
    const page = await browser.fetch(action)
    expect([page.status, (await page.text()).includes('Invalid username')]).toEqual([200, false])
  }
  expect((await browser.post(action, ada)).status).toBe(302)
})

test('a name that looks like an e-mail address is first looked up as one', async () => {
  const users = [
    { username: 'bob@example.com', email: 'impostor@example.com', credentials: [{ value: 'impostor' }] },
    { username: 'bob', email: 'bob@example.com', credentials: [{ value: 'real' }] },
  ]
  const world = await realmWorld({ realm: { ...smallRealm, users } })
  const redirect = await signIn(world, world.browser(), { username: 'Bob@Example.com', password: 'real' })
  expect(claimsOf((await redeem(world, redirect)).id_token)).toMatchObject({ preferred_username: 'bob' })
})
