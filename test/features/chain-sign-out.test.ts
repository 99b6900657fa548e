import { once } from 'node:events'
import { createServer } from 'node:http'
import { afterEach, expect, test } from 'vitest'
import { WebSocket, WebSocketServer } from 'ws'
import { clientSecretOf } from '../../src/config/chain-secrets.ts'
import { proxyClientId } from '../../src/config/default-realm.ts'
import { systemClock } from '../../src/kit/clock.ts'
import { systemRandom } from '../../src/kit/random.ts'
import { cookieKey } from '../../src/proxy/sessions/cookie-secret.ts'
import { openSessionCodec } from '../../src/proxy/sessions/session-codec.ts'
import { type HttpClient, httpClient } from '../world/http-client.ts'
import { openTestChain, type TestChain } from '../world/open-chain.ts'
import { listen, stop } from './gateway-world.ts'

const closing: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const close of closing.splice(0)) await close()
})

/** The platform with an app that tells which token reached it and speaks WebSocket. */
async function platform() {
  const app = createServer((request, response) => response.end(request.headers.authorization ?? ''))
  new WebSocketServer({ server: app }).on('connection', (socket) =>
    socket.on('message', (text) => socket.send(`${text}`)),
  )
  const appPort = await listen(app)
  const chain = await openTestChain({
    apps: [{ name: 'terminal', prefix: '/terminal/', host: '127.0.0.1', port: appPort }],
  })
  closing.push(
    () => chain.close(),
    () => stop(app),
  )
  return { ...chain, visit: () => visitor(chain) }
}

/** Someone who has signed in to the platform and to Notes in one browser, with a terminal open. */
async function visitor({ publicUrl, port }: TestChain) {
  const client = httpClient()
  const url = `${publicUrl}/terminal/`
  const page = await client.submit(await client.follow(url), { username: 'kay', password: 'correct horse' })
  const notes = await client.follow(`${publicUrl}/notes/`)
  expect(notes.text).toContain('kay@example.com')
  const cookie = [...client.cookies.values()]
    .filter(({ path }) => path === '/')
    .map(({ name, value }) => `${name}=${value}`)
    .join('; ')
  const socket = new WebSocket(`ws://localhost:${port}/terminal/`, { headers: { cookie } })
  await once(socket, 'open')
  closing.unshift(async () => socket.terminate())
  return { client, notes, cookie, authorization: page.text, socket, closed: once(socket, 'close') }
}

type Visitor = Awaited<ReturnType<typeof visitor>>

const sessionEnded = [401, "token's session has ended"]

/** What a copy of the visitor's cookie and of their token still opens, and whether Notes knows them. */
async function reach({ publicUrl }: TestChain, { client, cookie, authorization }: Visitor) {
  const send = async (headers: Record<string, string>) => {
    const answer = await httpClient().send(`${publicUrl}/terminal/`, { headers })
    return [answer.status, answer.status === 401 ? await answer.text() : '']
  }
  const notes = await client.follow(`${publicUrl}/notes/`)
  return {
    cookie: (await send({ cookie }))[0],
    token: await send({ authorization }),
    isInNotes: notes.text.includes('kay@example.com'),
  }
}

const nowhere = { cookie: 302, token: sessionEnded, isInNotes: false }
const everywhere = { cookie: 200, token: [200, ''], isInNotes: true }

async function expectSignedOut(chain: TestChain, someone: Visitor): Promise<void> {
  await someone.closed
  await expect.poll(() => reach(chain, someone), { timeout: 5000 }).toEqual(nowhere)
}

async function expectSignedIn(chain: TestChain, someone: Visitor): Promise<void> {
  expect(await reach(chain, someone)).toEqual(everywhere)
  someone.socket.send('still here')
  expect(String((await once(someone.socket, 'message'))[0])).toBe('still here')
}

/** Signs out of Notes, whose only business is with the realm. */
const signOutOfNotes = (client: HttpClient, notes: Visitor['notes']) =>
  client.submit({ ...notes, text: notes.text.slice(notes.text.indexOf('/notes/sign-out') - 60) }, {})

test('a sign-out at the platform ends cookie, token, WebSocket and the app’s own session, of this browser only', async () => {
  const chain = await platform()
  const [laptop, phone] = [await chain.visit(), await chain.visit()]
  const last = await laptop.client.follow(`${chain.publicUrl}/oauth2/sign_out`)
  expect(last.text).toContain('You are signed out')
  await expectSignedOut(chain, laptop)
  await expectSignedIn(chain, phone)
})

test('a sign-out of an app that knows only the realm ends the platform’s session, too', async () => {
  const chain = await platform()
  const [laptop, phone] = [await chain.visit(), await chain.visit()]
  const last = await signOutOfNotes(laptop.client, laptop.notes)
  expect(last.url).toBe(`${chain.publicUrl}/notes/signed-out`)
  await expectSignedOut(chain, laptop)
  await expectSignedIn(chain, phone)
})

test('who is disabled is out everywhere within seconds, without another request of theirs', async () => {
  const chain = await platform()
  const [laptop, phone] = [await chain.visit(), await chain.visit()]
  await chain.users.setEnabled('platform', 'kay', false)
  await expectSignedOut(chain, laptop)
  await expectSignedOut(chain, phone)
})

test('who has signed out can sign in again', async () => {
  const chain = await platform()
  const laptop = await chain.visit()
  await laptop.client.follow(`${chain.publicUrl}/oauth2/sign_out`)
  await expectSignedOut(chain, laptop)
  await expectSignedIn(chain, await chain.visit())
})

test('the refresh token of a session that has ended gets nothing', async () => {
  const chain = await platform()
  const { secrets, publicUrl } = chain
  const laptop = await chain.visit()
  const secret = secrets.cookie
  const keys = { secret, key: cookieKey(secret) ?? Buffer.alloc(0) }
  const times = { lifetimeSeconds: 86_400, clock: systemClock, random: systemRandom }
  const text = /(?:^|; )gatehouse=([^;]+)/.exec(laptop.cookie)?.[1] ?? ''
  const refreshToken = openSessionCodec({ name: 'gatehouse', keys, ...times }).open(text)?.refreshToken
  expect(refreshToken).toBeDefined()
  const refresh = () =>
    httpClient().send(`${publicUrl}/dex/token`, {
      method: 'POST',
      body: new URLSearchParams({
        grant_type: 'refresh_token',
        refresh_token: refreshToken ?? '',
        client_id: proxyClientId,
        client_secret: clientSecretOf(secrets, proxyClientId),
      }),
    })
  await signOutOfNotes(laptop.client, laptop.notes)
  await laptop.closed
  expect((await refresh()).status).toBe(400)
})

test.each(['/oauth2/backchannel-logout', '/dex/backchannel-logout/keycloak', '/notes/backchannel-logout'])(
  '%s takes no word for it but the provider’s own, and asks nobody to sign in',
  async (path) => {
    const chain = await platform()
    const laptop = await chain.visit()
    const idToken = laptop.authorization.slice('Bearer '.length)
    for (const logout_token of [idToken, 'x.y.z', '']) {
      const body = new URLSearchParams({ logout_token })
      const answer = await httpClient().send(`${chain.publicUrl}${path}`, { method: 'POST', body })
      expect([answer.status, answer.headers.get('cache-control')]).toEqual([400, 'no-store'])
      expect(await answer.json()).toMatchObject({ error: 'invalid_request' })
    }
    await expectSignedIn(chain, laptop)
  },
)
