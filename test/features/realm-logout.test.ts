import { expect, test } from 'vitest'
import {
  authUrl,
  type Browser,
  formAction,
  postToken,
  type RealmWorld,
  realmWorld,
  redeem,
  signIn,
  smallRealm,
} from './realm-world.ts'

const bye = 'https://app.example.com/bye'

const logoutUrl = (world: RealmWorld, parameters: Record<string, string>) =>
  `${world.oidc}/logout?${new URLSearchParams(parameters)}`

const isSignedIn = async (world: RealmWorld, browser: Browser) => (await browser.fetch(authUrl(world))).status === 302

async function signedIn(world: RealmWorld) {
  const browser = world.browser()
  return { browser, tokens: await redeem(world, await signIn(world, browser)) }
}

test('with its own hint a client signs the user out at once and is sent state alone', async () => {
  const world = await realmWorld()
  const { browser, tokens } = await signedIn(world)
  const parameters = { id_token_hint: tokens.id_token, post_logout_redirect_uri: bye, state: 's9' }
  const answer = await browser.fetch(logoutUrl(world, parameters))
  expect([answer.status, answer.headers.get('location')]).toEqual([302, `${bye}?state=s9`])
  expect([...browser.cookies.values()].map(({ name }) => name)).toEqual(['AUTH_SESSION_ID'])
  expect(await isSignedIn(world, browser)).toBe(false)
  const refreshed = await postToken(world, { grant_type: 'refresh_token', refresh_token: tokens.refresh_token })
  expect(refreshed.status).toBe(400)
  const again = await browser.fetch(logoutUrl(world, parameters))
  expect(again.status).toBe(302)
})

test('an expired hint does too', async () => {
  const world = await realmWorld()
  const { browser, tokens } = await signedIn(world)
  world.clock.advance(1_000_000)
  const page = await browser.fetch(logoutUrl(world, { id_token_hint: tokens.id_token }))
  expect(await page.text()).toContain('You are logged out')
  expect(await isSignedIn(world, browser)).toBe(false)
})

test('without a hint the user is asked first, and stays signed in until they say yes', async () => {
  const world = await realmWorld()
  const { browser, tokens } = await signedIn(world)
  const page = await browser.fetch(logoutUrl(world, { client_id: 'app', post_logout_redirect_uri: bye, state: 'x' }))
  expect([page.status, (await page.clone().text()).includes('Do you want to log out?')]).toEqual([200, true])
  expect(await isSignedIn(world, browser)).toBe(true)
  const refreshed = await postToken(world, { grant_type: 'refresh_token', refresh_token: tokens.refresh_token })
  expect(refreshed.status).toBe(200)

  const text = await page.clone().text()
  const sessionCode = /name="session_code" value="([^"]+)"/.exec(text)?.[1] ?? ''
  const answer = await browser.post(await formAction(page), { session_code: sessionCode, confirmLogout: 'Logout' })
  expect(answer.headers.get('location')).toBe(`${bye}?state=x`)
  expect(await isSignedIn(world, browser)).toBe(false)
})

test('somebody else’s hint, or their confirmation, does not sign this browser out (logout CSRF)', async () => {
  const world = await realmWorld()
  const attacker = await signedIn(world)
  const victim = await signedIn(world)
  const page = await victim.browser.fetch(logoutUrl(world, { id_token_hint: attacker.tokens.id_token }))
  expect(await page.text()).toContain('Do you want to log out?')

  const ask = await attacker.browser.fetch(logoutUrl(world, {}))
  const sessionCode = /name="session_code" value="([^"]+)"/.exec(await ask.clone().text())?.[1] ?? ''
  const action = await formAction(ask)
  const asked = await victim.browser.post(action, { session_code: sessionCode })
  expect(await asked.text()).toContain('Do you want to log out?')
  expect(await (await victim.browser.post(action, {})).text()).toContain('Do you want to log out?')
  expect(await isSignedIn(world, victim.browser)).toBe(true)
})

test('a client may demand the confirmation even with a hint', async () => {
  const attributes = { 'logout.confirmation.enabled': 'true' }
  const world = await realmWorld({ realm: { ...smallRealm, clients: [{ ...smallRealm.clients[0], attributes }] } })
  const { browser, tokens } = await signedIn(world)
  const page = await browser.fetch(logoutUrl(world, { id_token_hint: tokens.id_token }))
  expect(await page.text()).toContain('Do you want to log out?')
})

test('nobody to sign out: the redirect if it is registered, else the page', async () => {
  const world = await realmWorld()
  const redirected = await world.browser().fetch(logoutUrl(world, { client_id: 'app', post_logout_redirect_uri: bye }))
  expect(redirected.headers.get('location')).toBe(bye)
  expect(await (await world.browser().fetch(logoutUrl(world, {}))).text()).toContain('You are logged out')
})

test('a hint that is none, and a redirect that is not the client’s, end nothing', async () => {
  const world = await realmWorld()
  const { browser, tokens } = await signedIn(world)
  const other = await realmWorld({ realm: { ...smallRealm, realm: 'other' } })
  const foreign = (await signedIn(other)).tokens
  const refused: readonly [string, Record<string, string>][] = [
    ['Invalid parameter: id_token_hint', { id_token_hint: 'rubbish' }],
    ['Invalid parameter: id_token_hint', { id_token_hint: tokens.access_token }],
    ['Invalid parameter: id_token_hint', { id_token_hint: tokens.refresh_token }],
    ['Invalid parameter: id_token_hint', { id_token_hint: foreign.id_token }],
    ['Invalid parameter: id_token_hint', { id_token_hint: `${tokens.id_token.slice(0, -4)}AAAA` }],
    ['Invalid parameter: id_token_hint', { id_token_hint: tokens.id_token, client_id: 'spa' }],
    [
      'Invalid parameter: id_token_hint',
      { id_token_hint: 'rubbish', post_logout_redirect_uri: 'https://evil.example' },
    ],
    ['Missing parameters: id_token_hint', { post_logout_redirect_uri: bye }],
    ['Invalid redirect uri', { client_id: 'app', post_logout_redirect_uri: 'https://evil.example' }],
    ['Invalid redirect uri', { client_id: 'app', post_logout_redirect_uri: 'https://app.example.com/callback' }],
    ['Invalid redirect uri', { client_id: 'nobody', post_logout_redirect_uri: bye }],
    ['Invalid redirect uri', { id_token_hint: tokens.id_token, post_logout_redirect_uri: 'https://evil.example' }],
  ]
  for (const [message, parameters] of refused) {
    const page = await browser.fetch(logoutUrl(world, parameters))
    expect([page.status, page.headers.get('location'), (await page.text()).includes(message)]).toEqual([
      400,
      null,
      true,
    ])
  }
  expect(await isSignedIn(world, browser)).toBe(true)
})

test('a client ends the session with its refresh token, as often as it likes', async () => {
  const world = await realmWorld()
  const { browser, tokens } = await signedIn(world)
  const post = (form: Record<string, string>) => world.browser().post(`${world.oidc}/logout`, form)
  const app = { client_id: 'app', client_secret: 'app-secret' }
  const { refresh_token } = tokens
  expect((await post({ refresh_token })).status).toBe(401)
  expect((await post({ refresh_token, client_id: 'app' })).status).toBe(401)
  expect(await (await post({ ...app, refresh_token: 'x' })).json()).toMatchObject({
    error_description: 'Invalid refresh token',
  })
  const mismatch = "Invalid refresh token. Token client and authorized client don't match"
  expect(await (await post({ client_id: 'spa', refresh_token })).json()).toMatchObject({ error_description: mismatch })
  expect(await isSignedIn(world, browser)).toBe(true)
  for (let time = 0; time < 2; time += 1) {
    const answer = await post({ ...app, refresh_token })
    expect([answer.status, await answer.text(), answer.headers.get('cache-control')]).toEqual([204, '', 'no-cache'])
  }
  expect(await isSignedIn(world, browser)).toBe(false)
})
