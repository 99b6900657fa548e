import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { csrfOf, notesUrl, notesWorld, openProvider, post, signIn } from './demo-notes-world.ts'

type World = Awaited<ReturnType<typeof notesWorld>>

let op: Awaited<ReturnType<typeof openProvider>>
/** Where the provider's calls to the app go. */
let callApp: (url: string, init: RequestInit) => Promise<Response>

beforeAll(async () => {
  vi.spyOn(console, 'warn').mockReturnValue(undefined) // node-oidc-provider warns that its demo pages are demo pages
  op = await openProvider({
    client: { backchannel_logout_uri: `${notesUrl}/backchannel-logout`, backchannel_logout_session_required: true },
    features: { backchannelLogout: { enabled: true } },
    fetch: (url: string | URL, init: RequestInit) => callApp(String(url), init),
  })
})

afterAll(() => op.close())

/** The app, and the logout tokens it got. */
async function world() {
  const opened = await notesWorld(op.issuer)
  const tokens: string[] = []
  callApp = async (url, init) => {
    tokens.push(new URLSearchParams(String(init.body)).get('logout_token') ?? '')
    return opened.call(url, init)
  }
  const send = (logout_token: string) =>
    opened.call(`${notesUrl}/backchannel-logout`, { method: 'POST', body: new URLSearchParams({ logout_token }) })
  return { ...opened, tokens, send }
}

/** Signs out at the provider, as another app of the same user would. */
async function signOutAtProvider({ browser }: World) {
  const confirm = await browser.follow(`${op.issuer}/session/end`)
  await browser.submit(confirm, { logout: 'yes' })
}

test('who signs out at the provider is signed out of the app, in that browser and no other', async () => {
  const opened = await world()
  const other = opened.browse()
  const csrf = csrfOf((await signIn(opened.browser, `${notesUrl}/`)).text)
  await signIn(other, `${notesUrl}/`)
  await signOutAtProvider(opened)
  expect(opened.tokens).toHaveLength(1)
  expect((await post(opened.browser, '/', { csrf, text: 'too late' })).response.status).toBe(401)
  expect((await opened.browser.follow(`${notesUrl}/`)).text).toContain('name="password"')
  expect((await other.follow(`${notesUrl}/`)).text).toContain('ada@example.com')
})

test('signing in again works, and the sign-out before does not count', async () => {
  const opened = await world()
  await signIn(opened.browser, `${notesUrl}/`)
  await signOutAtProvider(opened)
  expect((await signIn(opened.browser, `${notesUrl}/`)).text).toContain('ada@example.com')
})

test('a logout token is taken once, and nothing else is one', async () => {
  const opened = await world()
  await signIn(opened.browser, `${notesUrl}/`)
  const tokens: string[] = []
  callApp = async (_url, init) => {
    tokens.push(new URLSearchParams(String(init.body)).get('logout_token') ?? '')
    return new Response()
  }
  await signOutAtProvider(opened)
  const [token = ''] = tokens
  expect((await opened.send('x.y.z')).status).toBe(400)
  const taken = await opened.send(token)
  expect([taken.status, taken.headers.get('cache-control')]).toEqual([200, 'no-store'])
  expect((await opened.send(token)).status).toBe(400)
})
