import { once } from 'node:events'
import { createServer, request as httpRequest, type IncomingMessage } from 'node:http'
import { afterEach, expect, test } from 'vitest'
import { WebSocket, WebSocketServer } from 'ws'
import type { AskAnswer } from '../../src/gateway/ask.ts'
import { openDecisionRing } from '../../src/gateway/decision-ring.ts'
import type { GatewayOptions } from '../../src/gateway/open-gateway.ts'
import { silentLog } from '../../src/kit/log.ts'
import { type EndedSessions, openEndedSessions, sessionName } from '../../src/oidc/ended-sessions.ts'
import { openSqlRecords } from '../../src/store/records.ts'
import { testClock } from '../world/clock.ts'
import { testDatabase } from '../world/database.ts'
import { dexIssuer, gatewayWorld, listen, mint, stockPolicies, stop } from './gateway-world.ts'

const closers: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const close of closers.splice(0)) await close()
})

const clock = testClock()
const iat = clock.now() / 1000 - 10
const tokenOf = (sid: string) => mint({ iss: dexIssuer, sub: 's', email: 'ada@example.com', iat, sid })

async function endedSessions(): Promise<EndedSessions> {
  return openEndedSessions({ records: openSqlRecords(await testDatabase(), clock), clock, log: silentLog })
}

/** Signs the session out, as the proxy does. */
const end = (ended: EndedSessions, ...names: readonly string[]) =>
  ended.end({ names, upTo: clock.now() }, clock.now() + 3_600_000)

/** An app that repeats what a WebSocket says, and otherwise tells one event and goes on for ever. */
async function lastingApp(): Promise<number> {
  const server = createServer((_, response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' })
    response.write('data: hello\n\n')
  })
  new WebSocketServer({ server }).on('connection', (socket) => socket.on('message', (text) => socket.send(`${text}`)))
  const port = await listen(server)
  closers.push(() => stop(server))
  return port
}

async function open(options: Partial<Omit<GatewayOptions, 'ask'>> & { ask?: () => AskAnswer } = {}) {
  const port = await lastingApp()
  const world = await gatewayWorld({
    yaml: stockPolicies(),
    resolveUpstream: () => ({ kind: 'origin', origin: `http://127.0.0.1:${port}` }),
    clock,
    ...options,
  })
  closers.unshift(() => world.close())
  return world
}

async function connected(port: number, headers: Record<string, string>): Promise<WebSocket> {
  const socket = new WebSocket(`ws://127.0.0.1:${port}/terminal`, { headers: { host: 'p.example.com', ...headers } })
  await once(socket, 'open')
  return socket
}

/** Begins to read an endless answer. */
async function streaming(port: number, headers: Record<string, string>): Promise<IncomingMessage> {
  const asked = httpRequest({
    port,
    host: '127.0.0.1',
    path: '/events',
    headers: { host: 'p.example.com', ...headers },
  })
  const [answer] = (await once(asked.end(), 'response')) as [IncomingMessage]
  expect([answer.statusCode, String((await once(answer, 'data'))[0])]).toEqual([200, 'data: hello\n\n'])
  return answer
}

const bearer = (token: string) => ({ authorization: `Bearer ${token}` })

test('a token is refused from the moment its session ends, also one that was verified before', async () => {
  const ended = await endedSessions()
  const ring = openDecisionRing({ clock })
  const world = await gatewayWorld({ yaml: stockPolicies(), clock, ended, observer: ring.observer })
  closers.push(() => world.close())
  const [token, other] = [await tokenOf('s1'), await tokenOf('s2')]
  expect((await world.send('GET', '/a', bearer(token))).status).toBe(200)
  await end(ended, sessionName(dexIssuer, 's1'))
  const refused = await world.send('GET', '/a', bearer(token))
  expect([refused.status, refused.body]).toEqual([401, "token's session has ended"])
  expect(ring.list().at(-1)).toMatchObject({ status: 401, cause: { kind: 'token', text: "token's session has ended" } })
  const never = await world.send('GET', '/a', bearer(await mint({ iss: dexIssuer, sub: 's', iat, sid: 's1' })))
  expect(never.status).toBe(401)
  expect((await world.send('GET', '/a', bearer(other))).status).toBe(200)
})

test('as Istio decides, a token is good until it expires', async () => {
  const ended = await endedSessions()
  const world = await gatewayWorld({ yaml: stockPolicies(), clock, ended, mode: 'istio' })
  closers.push(() => world.close())
  await end(ended, sessionName(dexIssuer, 's1'))
  expect((await world.send('GET', '/a', bearer(await tokenOf('s1')))).status).toBe(200)
})

test('while nobody knows what has ended, a new token gets 503, never an allow', async () => {
  const ended = { ...(await endedSessions()), hasEnded: () => Promise.reject(new Error('the store is down')) }
  const world = await gatewayWorld({ yaml: stockPolicies(), clock, ended })
  closers.push(() => world.close())
  expect((await world.send('GET', '/a', bearer(await tokenOf('s1')))).status).toBe(503)
  expect(world.seen).toEqual([])
})

test('the WebSockets and streams of a session are closed when it ends, those of another stay', async () => {
  const ended = await endedSessions()
  const { port } = await open({ ended })
  const [mine, other] = [bearer(await tokenOf('s1')), bearer(await tokenOf('s2'))]
  const [socket, stream, kept] = [
    await connected(port, mine),
    await streaming(port, mine),
    await connected(port, other),
  ]
  stream.on('error', () => {}) // it breaks off
  const closed = Promise.all([once(socket, 'close'), new Promise((resolve) => stream.on('close', resolve))])
  await end(ended, sessionName(dexIssuer, 's1'))
  await closed
  kept.send('still here')
  expect(String((await once(kept, 'message'))[0])).toBe('still here')
  kept.terminate()
})

test('a WebSocket let on by the provider alone is closed with the session the provider named', async () => {
  const ended = await endedSessions()
  const session = { ids: ['n:cookie-session'], since: clock.now() - 1 }
  const token = await mint({ iss: dexIssuer, sub: 's', email: 'ada@example.com', iat })
  const headers = ['authorization', `Bearer ${token}`]
  const { port } = await open({ ended, ask: () => ({ status: 200, headers, body: '', session }) })
  const socket = await connected(port, { cookie: 'oauth2_proxy_kubeflow=session' })
  const closed = once(socket, 'close')
  await end(ended, 'n:cookie-session')
  await closed
})

test('a token that expires breaks no open WebSocket', async () => {
  const later = testClock()
  const ended = await endedSessions()
  const { port } = await open({ ended, clock: later })
  const short = await mint({ iss: dexIssuer, sub: 's', iat, exp: later.now() / 1000 + 5, sid: 's1' })
  const socket = await connected(port, bearer(short))
  later.advance(3_600_000)
  await end(ended, 'another session')
  socket.send('still here')
  expect(String((await once(socket, 'message'))[0])).toBe('still here')
  socket.terminate()
})
