import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import {
  type Browser,
  csrfOf,
  notesUrl,
  notesWorld,
  openProvider,
  passLogin,
  post,
  signIn,
} from './demo-notes-world.ts'

let op: Awaited<ReturnType<typeof openProvider>>

beforeAll(async () => {
  vi.spyOn(console, 'warn').mockReturnValue(undefined) // node-oidc-provider warns that its demo pages are demo pages
  op = await openProvider()
})

afterAll(() => op.close())

test('a first visit signs in with code, PKCE, state and nonce and shows who came', async () => {
  const { browser } = await notesWorld(op.issuer)
  const leave = await browser.send(`${notesUrl}/`)
  const asked = Object.fromEntries(new URL(leave.headers.get('location') ?? '').searchParams)
  expect(leave.status).toBe(302)
  expect(asked).toMatchObject({
    response_type: 'code',
    client_id: 'notes',
    redirect_uri: `${notesUrl}/callback`,
    scope: 'openid profile email groups',
    code_challenge_method: 'S256',
    state: expect.stringMatching(/^[\w-]{24}$/),
    nonce: expect.stringMatching(/^[\w-]{24}$/),
  })

  const { response, text, url } = await signIn(browser, `${notesUrl}/`)
  expect([response.status, url]).toEqual([200, `${notesUrl}/`])
  expect(text).toContain('ada@example.com')
  expect(text).toContain('<li class="badge">kubeflow-user</li><li class="badge">team/ml</li>')
})

test('a deep link is where signing in ends', async () => {
  const { browser } = await notesWorld(op.issuer)
  const { url, response } = await signIn(browser, `${notesUrl}/n/some-note?from=mail&x=%2F`)
  expect(url).toBe(`${notesUrl}/n/some-note?from=mail&x=%2F`)
  expect(response.status).toBe(404) // there is no such note; the page says so
})

test('two tabs that both began to sign in both arrive, and a form of the first still works', async () => {
  const { browser } = await notesWorld(op.issuer)
  const one = await browser.follow(`${notesUrl}/?tab=1`)
  const two = await browser.follow(`${notesUrl}/?tab=2`)
  const first = await passLogin(browser, one)
  expect(first.url).toBe(`${notesUrl}/?tab=1`)
  const second = await browser.follow(two.hops.at(-2) ?? '') // the provider knows the user by now
  expect((await (second.url.startsWith(op.issuer) ? passLogin(browser, second) : second)).url).toBe(
    `${notesUrl}/?tab=2`,
  )
  const added = await post(browser, '/', { csrf: csrfOf(first.text), text: 'from tab one' })
  expect(added.text).toContain('from tab one')
})

test('notes are added, shown newest first, opened by address and deleted', async () => {
  const { browser } = await notesWorld(op.issuer)
  const csrf = csrfOf((await signIn(browser, `${notesUrl}/`)).text)
  await post(browser, '/', { csrf, text: 'buy milk' })
  const { text, url } = await post(browser, '/', { csrf, text: 'train a model' })
  expect(url).toBe(`${notesUrl}/`)
  expect([...text.matchAll(/<p class="note">([^<]+)</g)].map(([, note]) => note)).toEqual(['train a model', 'buy milk'])
  const address = /href="\/notes(\/n\/[^"]+)"/.exec(text)?.[1] ?? ''
  expect((await browser.follow(`${notesUrl}${address}`)).text).toContain('<p class="note">train a model</p>')
  const left = await post(browser, `${address}/delete`, { csrf })
  expect(left.text).not.toContain('train a model')
  expect(left.text).toContain('buy milk')
})

test('notes outlive a restart, and so does a sign-in that was under way', async () => {
  const { browser, restart } = await notesWorld(op.issuer)
  const csrf = csrfOf((await signIn(browser, `${notesUrl}/`)).text)
  await post(browser, '/', { csrf, text: 'still here' })
  restart()
  expect((await browser.follow(`${notesUrl}/`)).text).toContain('still here')

  const other = await notesWorld(op.issuer)
  const loginPage = await other.browser.follow(`${notesUrl}/n/x`)
  other.restart()
  expect((await passLogin(other.browser, loginPage)).url).toBe(`${notesUrl}/n/x`)
})

test('nobody sees, or deletes, what another wrote', async () => {
  const { browser, browse } = await notesWorld(op.issuer)
  const csrf = csrfOf((await signIn(browser, `${notesUrl}/`)).text)
  const { text } = await post(browser, '/', { csrf, text: 'a secret of ada' })
  const address = /href="\/notes(\/n\/[^"]+)"/.exec(text)?.[1] ?? ''

  const bob = browse()
  const bobs = await signIn(bob, `${notesUrl}/`, 'bob')
  expect(bobs.text).not.toContain('a secret of ada')
  expect(bobs.text).toContain('<p class="muted">None</p>') // no groups
  expect((await bob.follow(`${notesUrl}${address}`)).response.status).toBe(404)
  await post(bob, `${address}/delete`, { csrf: csrfOf(bobs.text) })
  expect((await browser.follow(`${notesUrl}/`)).text).toContain('a secret of ada')
})

test('a form without the token of this very session changes nothing', async () => {
  const { browser, browse } = await notesWorld(op.issuer)
  const csrf = csrfOf((await signIn(browser, `${notesUrl}/`)).text)
  const foreign = csrfOf((await signIn(browse(), `${notesUrl}/`, 'bob')).text)
  await post(browser, '/', { csrf, text: 'the one' })
  for (const fields of [{ text: 'x' }, { text: 'x', csrf: '' }, { text: 'x', csrf: foreign }]) {
    const { response, text } = await post(browser, '/', fields)
    expect(response.status).toBe(403)
    expect(text).toContain('nothing was changed')
  }
  expect((await post(browser, '/sign-out', {})).response.status).toBe(403)
  expect((await browser.follow(`${notesUrl}/`)).text).toContain('<h2 id="all">1 note</h2>')
})

test('what a note or an account says never becomes markup', async () => {
  const { browser } = await notesWorld(op.issuer)
  const hostile = '<img src=x onerror=alert(1)>"\'</textarea><script>alert(1)</script>'
  const { text } = await signIn(browser, `${notesUrl}/`, hostile)
  const listed = await post(browser, '/', { csrf: csrfOf(text), text: hostile })
  const refused = await post(browser, '/', { csrf: csrfOf(text), text: hostile.repeat(60) })
  expect(refused.response.status).toBe(422)
  for (const markup of [text, listed.text, refused.text]) expect(markup).not.toMatch(/<img src=x|<script>/)
  expect(listed.text).toContain('<p class="note">&lt;img src=x onerror=alert(1)&gt;')
})

test('an empty note and one too many are refused with the reason', async () => {
  const { browser } = await notesWorld(op.issuer)
  const csrf = csrfOf((await signIn(browser, `${notesUrl}/`)).text)
  const empty = await post(browser, '/', { csrf, text: '  ' })
  expect([empty.response.status, empty.text]).toEqual([422, expect.stringContaining('Write something first.')])
  for (let count = 0; count < 100; count += 1) await post(browser, '/', { csrf, text: `note ${count}` })
  const full = await post(browser, '/', { csrf, text: 'one too many' })
  expect([full.response.status, full.text]).toEqual([422, expect.stringContaining('There is room for 100 notes.')])
})

test('a callback that comes twice, from elsewhere or altered gets a page with a way on', async () => {
  const { browser, browse } = await notesWorld(op.issuer)
  const { hops } = await signIn(browser, `${notesUrl}/`)
  const callback = hops.find((hop) => hop.startsWith(`${notesUrl}/callback`)) ?? ''
  expect(callback).toContain('code=')
  for (const [who, url] of [
    [browser, callback],
    [browse(), callback],
    [browser, `${notesUrl}/callback?code=x&state=y`],
    [browser, `${notesUrl}/callback`],
  ] as const) {
    const { response, text } = await who.follow(url)
    expect(response.status).toBe(400)
    expect(text).toContain('<h1>This sign-in cannot be completed</h1>')
    expect(text).toContain('<a class="button" href="/notes/">Go to your notes</a>')
  }
  expect((await browser.follow(`${notesUrl}/`)).text).toContain('ada@example.com') // still signed in
})

test('a code of another login is refused: state and verifier belong together', async () => {
  const { browser, browse } = await notesWorld(op.issuer)
  const thief = browse()
  const stolen = (await signInUntilCallback(thief)).searchParams.get('code') ?? ''
  const leave = await browser.send(`${notesUrl}/`)
  const ownState = new URL(leave.headers.get('location') ?? '').searchParams.get('state') ?? ''
  const iss = encodeURIComponent(op.issuer)
  const { response } = await browser.follow(`${notesUrl}/callback?code=${stolen}&state=${ownState}&iss=${iss}`)
  expect(response.status).toBe(400)
  expect(cookiesOf(browser, 'notes_session')).toEqual([])
})

/** Signs in up to the redirect back, which is not followed. */
async function signInUntilCallback(browser: Browser): Promise<URL> {
  let url = (await browser.send(`${notesUrl}/`)).headers.get('location') ?? ''
  const loginPage = await browser.follow(url)
  const body = new URLSearchParams({ prompt: 'login', login: 'ada', password: 'x' })
  url = loginPage.url
  let init: RequestInit = { method: 'POST', body }
  for (;;) {
    const response = await browser.send(url, init)
    const location = response.headers.get('location')
    if (location === null) {
      init = { method: 'POST', body: new URLSearchParams({ prompt: 'consent' }) }
      continue
    }
    url = new URL(location, url).href
    if (url.startsWith(notesUrl)) return new URL(url)
    init = {}
  }
}

test('an ID token that no published key has signed is refused', async () => {
  const forging = async (input: Request | string | URL, init?: RequestInit) => {
    const response = await fetch(input, init)
    if (!String(input).endsWith('/token')) return response
    const tokens = (await response.json()) as { id_token: string }
    const [header, payload] = tokens.id_token.split('.')
    return Response.json({ ...tokens, id_token: `${header}.${payload}.${'A'.repeat(342)}` })
  }
  const { browser } = await notesWorld(op.issuer, { fetch: forging })
  const { response } = await signIn(browser, `${notesUrl}/`)
  expect([response.status, cookiesOf(browser, 'notes_session')]).toEqual([400, []])
})

function cookiesOf(browser: Browser, prefix: string) {
  return [...browser.cookies.values()].filter(({ name }) => name.startsWith(prefix))
}

test('an error of the provider is shown as text, with a way on', async () => {
  const { browser } = await notesWorld(op.issuer)
  const leave = await browser.send(`${notesUrl}/`)
  const state = new URL(leave.headers.get('location') ?? '').searchParams.get('state')
  const iss = encodeURIComponent(op.issuer)
  const answer = `error=access_denied&error_description=${encodeURIComponent('<b>no</b>')}&state=${state}&iss=${iss}`
  const { response, text } = await browser.follow(`${notesUrl}/callback?${answer}`)
  expect(response.status).toBe(403)
  expect(text).toContain('The identity provider answered “access_denied”: &lt;b&gt;no&lt;/b&gt;')
  expect(text).toContain('href="/notes/"')
})

test('logins that were begun and left do not pile up in the browser', async () => {
  const { browser } = await notesWorld(op.issuer)
  for (let count = 0; count < 12; count += 1) await browser.send(`${notesUrl}/?n=${count}`)
  expect(cookiesOf(browser, 'notes_login_')).toHaveLength(4)
  expect((await signIn(browser, `${notesUrl}/?n=last`)).url).toBe(`${notesUrl}/?n=last`)
})

test('cookies are sealed, HttpOnly, SameSite=Lax and go no further than the app', async () => {
  const { browser } = await notesWorld(op.issuer)
  await signIn(browser, `${notesUrl}/`)
  const session = cookiesOf(browser, 'notes_session')[0]
  expect(session).toMatchObject({ path: '/notes/', attributes: expect.stringMatching(/HttpOnly.*SameSite=Lax/) })
  expect(Buffer.from(session?.value ?? '', 'base64url').toString('latin1')).not.toContain('ada')

  const secure = await notesWorld(op.issuer, { publicUrl: 'https://ml.example.com/notes' })
  const leave = await secure.browser.send('http://localhost:8080/notes/')
  expect(leave.headers.getSetCookie()).toEqual([expect.stringContaining('; Secure;')])
})

test('a session that has ended says so to a form and signs a visitor in again', async () => {
  const { browser, advance } = await notesWorld(op.issuer)
  const csrf = csrfOf((await signIn(browser, `${notesUrl}/`)).text)
  advance(8 * 60 * 60 * 1000)
  const late = await post(browser, '/', { csrf, text: 'late' })
  expect([late.response.status, late.text]).toEqual([401, expect.stringContaining('nothing was changed')])
  expect((await browser.send(`${notesUrl}/`)).status).toBe(302)
  const script = await browser.send(`${notesUrl}/`, { headers: { 'sec-fetch-mode': 'cors' } })
  expect(script.status).toBe(401) // a script cannot sign in; it must not start to
})

test('signing out ends the provider’s session too and comes back to a page that says so', async () => {
  const { browser } = await notesWorld(op.issuer)
  const csrf = csrfOf((await signIn(browser, `${notesUrl}/`)).text)
  const confirm = await post(browser, '/sign-out', { csrf })
  const asked = new URL(confirm.hops.find((hop) => hop.startsWith(`${op.issuer}/session/end`)) ?? '').searchParams
  expect(asked.get('post_logout_redirect_uri')).toBe(`${notesUrl}/signed-out`)
  expect(asked.get('id_token_hint')).toMatch(/^ey.+\..+\./)
  const end = await browser.submit(confirm, { logout: 'yes' })
  expect(end.url).toBe(`${notesUrl}/signed-out`)
  expect(end.text).toContain('<h1>You are signed out of Notes</h1>')
  expect((await browser.follow(`${notesUrl}/`)).text).toContain('name="password"') // the provider asks again
})

test('with more groups than a cookie holds the ID token goes first, then there is a clear refusal', async () => {
  const some = await notesWorld(op.issuer)
  const arrived = await signIn(some.browser, `${notesUrl}/`, 'many-70')
  expect(arrived.response.status).toBe(200)
  const confirm = await post(some.browser, '/sign-out', { csrf: csrfOf(arrived.text) })
  expect(confirm.hops.find((hop) => hop.includes('/session/end'))).not.toContain('id_token_hint')

  const { browser } = await notesWorld(op.issuer)
  const refused = await signIn(browser, `${notesUrl}/`, 'many-300')
  expect([refused.response.status, refused.text]).toEqual([400, expect.stringContaining('<h1>Too many groups</h1>')])
})

test('while the provider is down the app says so, and works as soon as it is back', async () => {
  let isDown = true
  const flaky = (input: Request | string | URL, init?: RequestInit) =>
    isDown ? Promise.reject(new TypeError('fetch failed')) : fetch(input, init)
  const { browser } = await notesWorld(op.issuer, { fetch: flaky })
  const { response, text } = await browser.follow(`${notesUrl}/n/x?y=1`)
  expect([response.status, response.headers.get('retry-after')]).toEqual([503, '5'])
  expect(text).toContain('The identity provider does not answer.')
  expect(text).toContain('<a class="button" href="/notes/n/x?y=1">Try again</a>')

  isDown = false
  const loginPage = await browser.follow(`${notesUrl}/`)
  isDown = true // … and fails again in the middle of the sign-in
  expect((await passLogin(browser, loginPage)).response.status).toBe(503)

  isDown = false
  const csrf = csrfOf((await signIn(browser, `${notesUrl}/`)).text)
  expect(csrf).not.toBe('')
})

test('signing out works even while the provider is down, and says what is left', async () => {
  let isDown = false
  const flaky = (input: Request | string | URL, init?: RequestInit) =>
    isDown ? Promise.reject(new TypeError('fetch failed')) : fetch(input, init)
  const { browser, restart } = await notesWorld(op.issuer, { fetch: flaky })
  const csrf = csrfOf((await signIn(browser, `${notesUrl}/`)).text)
  isDown = true
  restart() // so that it does not know the provider’s endpoints
  const { response, text } = await post(browser, '/sign-out', { csrf })
  expect(response.status).toBe(200)
  expect(text).toContain('you are still signed in there')
  expect((await browser.send(`${notesUrl}/`)).status).toBe(503)
})

test('the log tells who signed in and never a token, code or cookie', async () => {
  const lines: unknown[] = []
  const write = (message: string, fields?: object) => {
    lines.push({ message, ...fields })
  }
  const log = { debug: write, info: write, warn: write, error: write, with: () => log }
  const { browser } = await notesWorld(op.issuer, { log })
  const { hops } = await signIn(browser, `${notesUrl}/`)
  await browser.follow(hops.find((hop) => hop.includes('code=')) ?? '')
  expect(lines).toEqual([{ message: 'signed in', subject: 'ada', requestId: 'req-9' }])
})
