import { once } from 'node:events'
import { createServer, type IncomingMessage } from 'node:http'
import { afterEach, expect, test } from 'vitest'
import { WebSocket, WebSocketServer } from 'ws'
import { dexIssuer, type GatewayWorld, gatewayWorld, listen, mint, stockPolicies, stop } from './gateway-world.ts'

const token = await mint({ iss: dexIssuer, sub: 's', email: 'ada@example.com' })
const session = 'oauth2_proxy_kubeflow=session'
const closers: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const close of closers.splice(0)) await close()
})

/** A WebSocket app that repeats what it hears, behind the stock policies. */
async function open(): Promise<{ world: GatewayWorld; upgrades: Record<string, unknown>[] }> {
  const upgrades: Record<string, unknown>[] = []
  const server = createServer((_, response) => response.writeHead(426).end('websocket only'))
  const sockets = new WebSocketServer({
    server,
    verifyClient: ({ req }: { req: IncomingMessage }) => req.url !== '/refused',
  })
  sockets.on('connection', (socket, request) => {
    upgrades.push({ url: request.url, ...request.headers })
    socket.on('message', (text) => socket.send(`heard ${text}`))
  })
  const port = await listen(server)
  const world = await gatewayWorld({
    yaml: stockPolicies(),
    ask: ({ headers }) =>
      headers['cookie'] === session
        ? { status: 200, headers: ['authorization', `Bearer ${token}`], body: '' }
        : { status: 403, headers: ['content-type', 'text/html'], body: 'sign in' },
    resolveUpstream: () => ({ kind: 'origin', origin: `http://127.0.0.1:${port}` }),
    ownCookies: (name) => name === 'oauth2_proxy_kubeflow',
    publicUrl: 'https://public.example.com',
  })
  closers.push(
    () => world.close(),
    () => stop(server),
  )
  return { world, upgrades }
}

function dial(world: GatewayWorld, headers: Record<string, string>, path = '/terminal?x=1'): WebSocket {
  return new WebSocket(`ws://127.0.0.1:${world.port}${path}`, {
    headers: { host: 'platform.example.com', ...headers },
  })
}

/** The status the handshake was refused with, and the body. */
async function refusal(socket: WebSocket): Promise<[number | undefined, string]> {
  const [, response] = await once(socket, 'unexpected-response')
  const chunks: Buffer[] = []
  for await (const chunk of response) chunks.push(chunk as Buffer)
  return [response.statusCode, Buffer.concat(chunks).toString('utf8')]
}

test('a signed-in WebSocket reaches its app, which knows who it is', async () => {
  const { world, upgrades } = await open()
  const socket = dial(world, { cookie: session, 'kubeflow-userid': 'evil@example.com' })
  await once(socket, 'open')
  socket.send('hello')
  const [text] = await once(socket, 'message')
  expect(String(text)).toBe('heard hello')
  expect(upgrades[0]).toMatchObject({
    url: '/terminal?x=1',
    host: 'platform.example.com',
    'kubeflow-userid': 'ada@example.com',
  })
  expect(upgrades[0]).not.toHaveProperty('cookie')
  socket.close()
  await once(socket, 'close')
})

test('without a session the handshake gets the answer of the provider', async () => {
  const { world, upgrades } = await open()
  expect(await refusal(dial(world, {}))).toEqual([403, 'sign in'])
  expect(await refusal(dial(world, { authorization: 'Bearer a.b.c' }))).toEqual([
    401,
    'Jwt header is an invalid Base64url encoded',
  ])
  expect(upgrades).toEqual([])
})

test('a page of another site cannot use the visitor’s cookies', async () => {
  const { world } = await open()
  expect(await refusal(dial(world, { cookie: session, origin: 'https://evil.example' }))).toEqual([
    403,
    'websocket from a foreign origin',
  ])
  for (const origin of ['http://platform.example.com', 'https://public.example.com']) {
    const socket = dial(world, { cookie: session, origin })
    await once(socket, 'open')
    socket.terminate()
  }
})

test('an app that does not agree is heard', async () => {
  const { world } = await open()
  expect((await refusal(dial(world, { cookie: session }, '/refused')))[0]).toBe(401)
})

test('when one side hangs up, so does the other', async () => {
  const { world } = await open()
  const socket = dial(world, { cookie: session })
  await once(socket, 'open')
  await world.gateway.close()
  await once(socket, 'close')
})

test('an app that is down refuses the handshake with 503', async () => {
  const world = await gatewayWorld({
    yaml: stockPolicies(),
    resolveUpstream: () => ({ kind: 'origin', origin: 'http://127.0.0.1:1' }),
  })
  closers.push(() => world.close())
  const [status] = await refusal(dial(world, { authorization: `Bearer ${token}` }))
  expect(status).toBe(503)
})
