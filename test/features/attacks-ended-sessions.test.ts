import { once } from 'node:events'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { WebSocket } from 'ws'
import {
  type AttackWorld,
  attackWorld,
  cookieHeader,
  form,
  platformWithApp,
  type RecordingApp,
  recordingApp,
} from './attacks-world.ts'

let app: RecordingApp
let world: AttackWorld
beforeAll(async () => {
  app = await recordingApp()
  world = await attackWorld({ from: platformWithApp(app) })
})
afterAll(async () => {
  await world.close()
  await app.close()
})

/** A thief's copies of everything a session is worth: its cookie, the token behind it, and a WebSocket. */
async function robbed() {
  const { browser, cookie } = await world.signIn()
  await world.ask('/app/x', { headers: [`Cookie: ${cookie}`] })
  const bearer = app.received.at(-1)?.headers.find(([name]) => name.toLowerCase() === 'authorization')?.[1] ?? ''
  expect(bearer).toMatch(/^Bearer ey/)
  const dial = (headers: Readonly<Record<string, string>>) =>
    new WebSocket(`${world.origin.replace('http:', 'ws:')}/app/socket`, { headers })
  const sockets = [dial({ cookie }), dial({ authorization: bearer })]
  for (const socket of sockets) await once(socket, 'open')
  return { browser, cookie, bearer, dial, closed: Promise.all(sockets.map((socket) => once(socket, 'close'))) }
}

test('what was stolen of a session is worth nothing from its sign-out on: cookie, token, open WebSockets', async () => {
  const { browser, cookie, bearer, dial, closed } = await robbed()
  await browser.follow(`${world.origin}/oauth2/sign_out`)
  await closed
  const before = app.received.length
  for (const header of [`Cookie: ${cookie}`, `Authorization: ${bearer}`]) {
    expect([302, 401]).toContain((await world.ask('/app/x', { headers: [header] })).status)
  }
  for (const headers of [{ cookie }, { authorization: bearer }]) {
    const [, response] = await once(dial(headers), 'unexpected-response')
    expect([302, 401]).toContain(response.statusCode)
    response.destroy()
  }
  expect(app.received).toHaveLength(before)
})

test('one sign-out takes no other session of the user along', async () => {
  const [mine, other] = [await world.signIn(), await world.signIn()]
  await mine.browser.follow(`${world.origin}/oauth2/sign_out`)
  expect((await world.ask('/app/x', { headers: [`Cookie: ${mine.cookie}`] })).status).toBe(302)
  expect((await world.ask('/app/x', { headers: [`Cookie: ${other.cookie}`] })).status).toBe(200)
})

test('nobody can sign others out by a logout token of their own making', async () => {
  const { browser, cookie, bearer } = await robbed()
  const [header = '', payload = '', signature = ''] = bearer.slice('Bearer '.length).split('.')
  const claims = JSON.parse(Buffer.from(payload, 'base64url').toString()) as Record<string, unknown>
  const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url')
  const { nonce: _nonce, ...rest } = claims
  const logout = encode({ ...rest, jti: 'j', events: { 'http://schemas.openid.net/event/backchannel-logout': {} } })
  const forgeries = [
    `${header}.${payload}.${signature}`,
    `${header}.${logout}.${signature}`,
    `${encode({ alg: 'none' })}.${logout}.`,
    `${encode({ alg: 'HS256', typ: 'logout+jwt' })}.${logout}.${signature}`,
  ]
  for (const path of ['/oauth2/backchannel-logout', '/dex/backchannel-logout/keycloak']) {
    for (const logout_token of forgeries) {
      expect((await world.ask(path, form({ logout_token }))).status).toBe(400)
    }
  }
  expect((await world.ask('/app/x', { headers: [`Cookie: ${cookieHeader(browser)}`] })).status).toBe(200)
  expect((await world.ask('/app/x', { headers: [`Cookie: ${cookie}`] })).status).toBe(200)
})
