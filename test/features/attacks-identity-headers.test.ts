import { once } from 'node:events'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { WebSocket } from 'ws'
import { ada } from '../world/platform-files.ts'
import {
  type AttackWorld,
  attackWorld,
  platformWithApp,
  type ReceivedRequest,
  type RecordingApp,
  recordingApp,
} from './attacks-world.ts'

let app: RecordingApp
let world: AttackWorld
let cookie: string
beforeAll(async () => {
  app = await recordingApp()
  world = await attackWorld({ from: platformWithApp(app) })
  cookie = (await world.signIn()).cookie
})
afterAll(async () => {
  await world.close()
  await app.close()
})

const evil = 'evil@example.com'

/** Everything an app may take for the user's identity, or for where the request came from. */
const identityNames = [
  'kubeflow-userid',
  'kubeflow-groups',
  'x-auth-request-user',
  'x-auth-request-email',
  'x-auth-request-groups',
  'x-auth-request-preferred-username',
  'x-auth-request-access-token',
  'x-forwarded-user',
  'x-forwarded-email',
  'x-forwarded-groups',
  'x-forwarded-preferred-username',
  'x-forwarded-access-token',
  'x-forwarded-client-cert',
  'x-gatehouse-assertion',
  'x-forwarded-for',
  'x-forwarded-host',
  'x-forwarded-proto',
  'x-forwarded-uri',
  'x-forwarded-prefix',
  'x-forwarded-port',
  'forwarded',
  'x-real-ip',
  'x-original-url',
  'x-rewrite-url',
  'x-envoy-external-address',
  'x-request-id',
]

/** How servers behind a gateway fold names: CGI and WSGI read `_` and `-` alike, others any mark, all any case. */
const spellings: readonly (readonly [name: string, spell: (name: string) => string])[] = [
  ['as it is', (name) => name],
  ['in capitals', (name) => name.toUpperCase()],
  ['in mixed case', (name) => name.replace(/[a-z]/g, (letter, at) => (at % 2 ? letter : letter.toUpperCase()))],
  ['with underscores', (name) => name.replaceAll('-', '_')],
  ['with one underscore', (name) => name.replace('-', '_')],
  ['with dots', (name) => name.replaceAll('-', '.')],
  ['with pluses', (name) => name.replaceAll('-', '+')],
]

const fold = (name: string) => name.toLowerCase().replace(/[^a-z0-9]/g, '-')

/** What a request carries under any spelling of a name. */
function valuesOf({ headers }: ReceivedRequest, wanted: string): string[] {
  return headers.filter(([name]) => fold(name) === wanted).map(([, value]) => value)
}

function expectGenuine(request: ReceivedRequest): void {
  expect(JSON.stringify(request)).not.toContain('evil')
  expect(valuesOf(request, 'kubeflow-userid')).toEqual([ada.email])
  expect(valuesOf(request, 'kubeflow-groups')).toEqual([ada.groups.join(',')])
  expect(valuesOf(request, 'x-auth-request-email')).toEqual([ada.email])
  for (const name of ['x-forwarded-for', 'x-forwarded-host', 'x-forwarded-proto', 'x-request-id'])
    expect(valuesOf(request, name)).toHaveLength(1)
}

describe('spoofed identity headers never reach an app', () => {
  test.each(spellings)('%s', async (_, spell) => {
    const headers = identityNames.map((name) => `${spell(name)}: ${evil}`)
    expect(await world.ask('/app/x', { headers: [`Cookie: ${cookie}`, ...headers] })).toMatchObject({ status: 200 })
    expectGenuine(app.received.at(-1) ?? expect.fail('nothing reached the app'))
  })

  test('repeated, before and after one another', async () => {
    const spoofed = [`Kubeflow-Userid: ${evil}`, `kubeflow_userid: ${evil}`, `KUBEFLOW-USERID: ${evil}`]
    await world.ask('/app/x', { headers: [...spoofed, `Cookie: ${cookie}`, ...spoofed] })
    expectGenuine(app.received.at(-1) ?? expect.fail('nothing reached the app'))
  })

  test('with the credentials of a bearer token instead of a session', async () => {
    await world.ask('/app/x', { headers: [`Cookie: ${cookie}`] })
    const token = valuesOf(app.received.at(-1) ?? expect.fail('nothing reached the app'), 'authorization')[0]
    const spoofed = identityNames.map((name) => `${name.replaceAll('-', '_')}: ${evil}`)
    const answer = await world.ask('/app/x', {
      headers: [`Authorization: ${token}`, `X-Auth-Request-Email: ${evil}`, ...spoofed],
    })
    expect(answer.status).toBe(200)
    const seen = app.received.at(-1) ?? expect.fail('nothing reached the app')
    expect(JSON.stringify(seen)).not.toContain('evil')
    expect(valuesOf(seen, 'kubeflow-userid')).toEqual([ada.email])
  })

  test('folded into the line before, or with a space before the colon, the request is refused', async () => {
    const before = app.received.length
    const folded = await world.ask('/app/x', { headers: [`Cookie: ${cookie}`, 'X-A: b', ` kubeflow-userid: ${evil}`] })
    const spaced = await world.ask('/app/x', { headers: [`Cookie: ${cookie}`, `kubeflow-userid : ${evil}`] })
    expect([folded.status, spaced.status]).toEqual([400, 400])
    expect(app.received).toHaveLength(before)
  })

  test('under one spelling at an exempt app, which tells nothing of a user nobody proved', async () => {
    const demo = await attackWorld()
    for (const [, spell] of spellings) {
      const headers = identityNames.map((name) => `${spell(name)}: ${evil}`)
      const exempt = ['/notes/', '/notes/static/gatehouse.css', '/dex/', '/oauth2/userinfo', '/oauth2/auth', '/auth/']
      for (const path of [...exempt, '/gatehouse/signed-out', '/authservice/x']) {
        const answer = await demo.ask(path, { headers })
        expect(answer.text, path).not.toContain('evil')
        if (path.startsWith('/oauth2/')) expect(answer.status, path).toBe(401)
      }
    }
    await demo.close()
  })
})

describe('naming a header in Connection takes nothing of ours away', () => {
  test.each([
    'kubeflow-userid, kubeflow-groups',
    'Kubeflow-Userid',
    'x-auth-request-email, x-forwarded-for, x-forwarded-host, x-forwarded-proto, x-request-id',
    'close, keep-alive, kubeflow-userid',
  ])('Connection: %s', async (options) => {
    const headers = [`Cookie: ${cookie}`, `Connection: ${options}`, `Kubeflow-Userid: ${evil}`]
    expect((await world.ask('/app/x', { headers })).status).toBe(200)
    expectGenuine(app.received.at(-1) ?? expect.fail('nothing reached the app'))
  })

  test.each(['authorization', 'cookie', 'host', 'content-length', 'transfer-encoding'])(
    'Connection: %s lets nobody in',
    async (option) => {
      const before = app.received.length
      const answer = await world.ask('/app/x', { headers: [`Connection: ${option}`, 'Authorization: Bearer x'] })
      expect([302, 400, 401, 403]).toContain(answer.status)
      expect(app.received).toHaveLength(before)
    },
  )
})

describe('on a WebSocket', () => {
  const dial = (headers: Readonly<Record<string, string>>) =>
    new WebSocket(`${world.origin.replace('http:', 'ws:')}/app/socket`, { headers })

  test.each(spellings)('spoofed identity headers never reach an app: %s', async (_, spell) => {
    const spoofed = Object.fromEntries(identityNames.map((name) => [spell(name), evil]))
    const socket = dial({ cookie, ...spoofed })
    await once(socket, 'open')
    expectGenuine(app.received.at(-1) ?? expect.fail('nothing reached the app'))
    socket.terminate()
  })

  test('nobody gets one without a session, or from a page of another site', async () => {
    const before = app.received.length
    const refusals = [{}, { cookie: 'x=y' }, { cookie, origin: 'https://evil.example' }, { cookie, origin: 'null' }]
    for (const headers of refusals) {
      const [, response] = await once(dial(headers as Record<string, string>), 'unexpected-response')
      expect([302, 401, 403]).toContain(response.statusCode)
      response.destroy()
    }
    expect(app.received).toHaveLength(before)
  })
})

test('our own cookies never reach an app, in whatever company they come', async () => {
  const { browser } = await world.signIn()
  const names = [...browser.cookies.values()].filter(({ path }) => path === '/').map(({ name }) => name)
  expect(names.length).toBeGreaterThan(0)
  await world.ask('/app/x', { headers: [`Cookie: mine=1; ${cookie}; theirs=2`, `Cookie: third=3`] })
  const sent = valuesOf(app.received.at(-1) ?? expect.fail('nothing reached the app'), 'cookie').join('; ')
  expect(sent).toBe('mine=1; theirs=2; third=3')
})
