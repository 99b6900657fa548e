import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { type ClientRequest, createServer, type IncomingMessage, request, type ServerResponse } from 'node:http'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { afterEach, describe, expect, test } from 'vitest'
import { WebSocket, WebSocketServer } from 'ws'
import { type App, closeAll, cookieOf, keep, openApp, upstreamWorld } from './oauth2-proxy-upstreams-world.ts'

afterEach(closeAll)

const cookie = cookieOf()

/** An app whose next request and answer the test holds in its hands. */
async function handApp(): Promise<App & { next(): Promise<readonly [IncomingMessage, ServerResponse]> }> {
  const waiting: ((pair: readonly [IncomingMessage, ServerResponse]) => void)[] = []
  const arrived: (readonly [IncomingMessage, ServerResponse])[] = []
  const app = await openApp((asked, answer) => {
    const waiter = waiting.shift()
    if (waiter) waiter([asked, answer])
    else arrived.push([asked, answer])
  })
  const next = () =>
    new Promise<readonly [IncomingMessage, ServerResponse]>((resolve) => {
      const pair = arrived.shift()
      if (pair) resolve(pair)
      else waiting.push(resolve)
    })
  return { ...keep(app), next }
}

async function started(flags: readonly string[] = []) {
  const app = await handApp()
  const world = keep(await upstreamWorld([`http://127.0.0.1:${app.port}`], flags))
  const send = (path: string, options: object = {}): ClientRequest =>
    request({ host: '127.0.0.1', port: world.running.ports.plain, path, agent: false, headers: { cookie }, ...options })
  return { ...world, app, send }
}

const answerTo = async (sent: ClientRequest): Promise<IncomingMessage> => {
  const [answer] = await once(sent, 'response')
  return answer as IncomingMessage
}
const chunkOf = async (stream: IncomingMessage): Promise<string> => String((await once(stream, 'data'))[0])

test('events reach the browser as they happen, head first', async () => {
  const { app, send } = await started()
  const sent = send('/events')
  sent.end()
  const [, answer] = await app.next()
  answer.writeHead(200, { 'content-type': 'text/event-stream' })
  answer.flushHeaders()
  const received = await answerTo(sent)
  expect(received.headers['content-type']).toBe('text/event-stream')
  for (const event of ['data: 1\n\n', 'data: 2\n\n']) {
    const heard = chunkOf(received)
    answer.write(event)
    expect(await heard).toBe(event)
  }
  answer.addTrailers({ 'x-sum': '3' })
  answer.end()
  await once(received, 'end')
  expect(received.trailers).toEqual({ 'x-sum': '3' })
})

test('events end with the session they were asked for with', async () => {
  const { app, ask, send } = await started()
  const sent = send('/events')
  sent.end()
  const [, answer] = await app.next()
  answer.writeHead(200, { 'content-type': 'text/event-stream' })
  answer.flushHeaders()
  const received = await answerTo(sent)
  const broken = once(received, 'error')
  received.resume()
  const closed = once(answer, 'close')
  await ask('/oauth2/sign_out', { headers: { cookie, 'sec-fetch-site': 'same-origin' } })
  expect(String((await broken)[0])).toContain('aborted')
  await closed
})

test('a body reaches the app as it is sent, and the answer may begin before it ends', async () => {
  const { app, send } = await started()
  const sent = send('/upload', { method: 'POST' })
  sent.write('first')
  const [asked, answer] = await app.next()
  expect(await chunkOf(asked)).toBe('first')
  const received = answerTo(sent)
  answer.writeHead(202)
  answer.write('so far')
  expect((await received).statusCode).toBe(202)
  const second = chunkOf(asked)
  sent.end('second')
  expect(await second).toBe('second')
  answer.end()
})

test('a browser that goes away takes the request at the app with it', async () => {
  const { app, send } = await started()
  const sent = send('/slow')
  sent.on('error', () => {})
  sent.end()
  const [, answer] = await app.next()
  const closed = once(answer, 'close')
  sent.destroy()
  await closed
  expect(answer.writableFinished).toBe(false)
})

test('an app that hangs up halfway is no whole answer', async () => {
  const { app, send } = await started()
  const sent = send('/half')
  sent.end()
  const [, answer] = await app.next()
  answer.writeHead(200, { 'content-length': '10' })
  answer.write('half')
  const received = await answerTo(sent)
  const broken = once(received, 'error')
  received.resume()
  answer.destroy()
  expect(String((await broken)[0])).toContain('aborted')
})

test('headers of the app’s connection stay there, its own and ours reach the browser', async () => {
  const { app, send } = await started()
  const sent = send('/')
  sent.end()
  const [, answer] = await app.next()
  const hop = { connection: 'close, x-hop', 'x-hop': '1', 'keep-alive': 'timeout=1', 'proxy-authenticate': 'Basic' }
  answer.writeHead(201, { ...hop, 'set-cookie': ['a=1', 'b=2'], 'x-app': 'yes' })
  answer.end('made')
  const { statusCode, headers } = await answerTo(sent)
  expect(statusCode).toBe(201)
  expect(headers).toMatchObject({ 'set-cookie': ['a=1', 'b=2'], 'x-app': 'yes', 'gap-auth': 'ada@example.com' })
  for (const name of ['x-hop', 'proxy-authenticate']) expect(headers).not.toHaveProperty(name)
})

test('without keep-alive each request has a connection of its own', async () => {
  const sockets = new Set<unknown>()
  const app = keep(
    await openApp((asked, answer) => {
      sockets.add(asked.socket)
      answer.end(asked.headers.connection)
    }),
  )
  const upstream = `http://127.0.0.1:${app.port}`
  const kept = keep(await upstreamWorld([upstream]))
  for (const _ of [1, 2]) expect((await kept.ask('/open')).text).toBe('keep-alive')
  expect(sockets.size).toBe(1)
  const single = keep(await upstreamWorld([upstream], ['--disable-keep-alives']))
  for (const _ of [1, 2]) expect((await single.ask('/open')).text).toBe('close')
  expect(sockets.size).toBe(3)
})

describe('a WebSocket', () => {
  async function socketWorld(flags: readonly string[] = []) {
    const upgrades: IncomingMessage[] = []
    const server = createServer((_, answer) => answer.writeHead(418, { 'x-app': 'yes' }).end('no socket here'))
    const sockets = new WebSocketServer({
      server,
      verifyClient: ({ req }: { req: IncomingMessage }) => req.url !== '/no',
    })
    sockets.on('connection', (socket, asked) => {
      upgrades.push(asked)
      socket.on('message', (text) => socket.send(`heard ${text}`))
    })
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    const address = server.address()
    const port = typeof address === 'object' && address ? address.port : 0
    keep({
      close: () =>
        new Promise<void>((resolve) => {
          for (const client of sockets.clients) client.terminate()
          server.close(() => resolve())
          server.closeAllConnections()
        }),
    })
    const world = keep(await upstreamWorld([`http://127.0.0.1:${port}`], flags))
    const dial = (path = '/terminal', headers: Record<string, string> = { cookie }) =>
      new WebSocket(`ws://127.0.0.1:${world.running.ports.plain}${path}`, { headers })
    return { ...world, port, upgrades, dial }
  }

  const refusal = async (socket: WebSocket): Promise<readonly [number | undefined, string]> => {
    const [, answer] = (await once(socket, 'unexpected-response')) as [unknown, IncomingMessage]
    let text = ''
    for await (const chunk of answer) text += chunk
    return [answer.statusCode, text]
  }

  test('reaches the app with who is signed in, and is logged when it ends', async () => {
    const { dial, upgrades, directory } = await socketWorld()
    const socket = dial('/terminal?x=1', { cookie, host: 'app.example', 'x-forwarded-user': 'admin' })
    const opened = once(socket, 'open')
    const [answer] = (await once(socket, 'upgrade')) as [IncomingMessage]
    expect(answer.headers['gap-auth']).toBe('ada@example.com')
    await opened
    socket.send('hello')
    expect(String((await once(socket, 'message'))[0])).toBe('heard hello')
    expect(upgrades[0]?.url).toBe('/terminal?x=1')
    expect(upgrades[0]?.headers).toMatchObject({ host: 'app.example', 'x-forwarded-user': 'u-1', upgrade: 'websocket' })
    expect(upgrades[0]?.headers).not.toHaveProperty('cookie')
    socket.close()
    await once(socket, 'close')
    const log = () => readFileSync(join(directory, 'proxy.log'), 'utf8')
    await expect.poll(log).toMatch(/ada@example\.com .* GET \/ "\/terminal\?x=1" .* 101 /)
  })

  test('is asked for under the upstream’s own host where that is configured', async () => {
    const { dial, upgrades, port } = await socketWorld(['--pass-host-header=false'])
    await once(dial('/', { cookie, host: 'app.example' }), 'open')
    expect(upgrades[0]?.headers.host).toBe(`127.0.0.1:${port}`)
  })

  test('of nobody is refused with 401', async () => {
    const { dial, upgrades } = await socketWorld()
    expect((await refusal(dial('/', {})))[0]).toBe(401)
    expect(upgrades).toEqual([])
  })

  test('of a page of another site is refused, of ours and of those we lead to is not', async () => {
    const { dial, upgrades } = await socketWorld(['--whitelist-domain=.friend.example'])
    const from = (origin: string) => dial('/', { cookie, host: 'app.example', origin })
    for (const origin of ['https://evil.example', 'null', 'https://app.example.evil.example']) {
      expect(await refusal(from(origin))).toEqual([403, 'WebSocket from a foreign origin\n'])
    }
    expect(upgrades).toEqual([])
    for (const origin of ['https://app.example', 'http://localhost', 'https://a.friend.example']) {
      await once(from(origin), 'open')
    }
    await once(dial('/', { cookie, host: 'app.example' }), 'open')
    const original = await socketWorld(['--compat'])
    await once(original.dial('/', { cookie, origin: 'https://evil.example' }), 'open')
  })

  test('is refused where they are switched off', async () => {
    const { dial, upgrades } = await socketWorld(['--proxy-websockets=false'])
    expect(await refusal(dial())).toEqual([403, 'WebSockets are not forwarded here\n'])
    expect(upgrades).toEqual([])
  })

  test('that the app does not want gets the app’s answer', async () => {
    const { dial } = await socketWorld()
    expect((await refusal(dial('/no')))[0]).toBe(401)
  })

  test('to an app that is down gets the page', async () => {
    const world = keep(await upstreamWorld(['http://127.0.0.1:1']))
    const socket = new WebSocket(`ws://127.0.0.1:${world.running.ports.plain}/open`)
    expect((await refusal(socket))[0]).toBe(502)
  })

  test('ends with the session it was opened with', async () => {
    const { dial, ask } = await socketWorld()
    const socket = dial()
    await once(socket, 'open')
    const closed = once(socket, 'close')
    await ask('/oauth2/sign_out', { headers: { cookie, 'sec-fetch-site': 'same-origin' } })
    await closed
  })

  test('does not hold up the end of the program', async () => {
    const { dial, running } = await socketWorld()
    const socket = dial()
    await once(socket, 'open')
    const closed = once(socket, 'close')
    await running.close()
    await closed
  })

  test('an offer of another protocol is declined by answering without it', async () => {
    const { running } = await socketWorld()
    const headers = { cookie, connection: 'Upgrade', upgrade: 'h2c' }
    const sent = request({ host: '127.0.0.1', port: running.ports.plain, path: '/', headers, agent: false })
    sent.end()
    const answer = await answerTo(sent)
    expect(answer.statusCode).toBe(418)
    answer.resume()
  })
})

test('a declined upgrade does not stall a long answer, however slowly it is read', async () => {
  const { app, send } = await started()
  const sent = send('/long', { headers: { cookie, connection: 'Upgrade', upgrade: 'h2c' } })
  sent.end()
  const [, answer] = await app.next()
  answer.end(Buffer.alloc(8_000_000, 'x'))
  const received = await answerTo(sent)
  let size = 0
  for await (const chunk of received as AsyncIterable<Buffer>) size += chunk.length
  expect(size).toBe(8_000_000)
})

test('a body that is too long to be read before it is signed is refused', async () => {
  const { app, send } = await started(['--signature-key=sha256:between us'])
  const sent = send('/upload', { method: 'POST', headers: { cookie } })
  const answered = answerTo(sent)
  Readable.from(Array.from({ length: 65 }, () => Buffer.alloc(1024 * 1024)))
    .on('error', () => {})
    .pipe(sent)
  const answer = await answered
  expect(answer.statusCode).toBe(413)
  answer.resume()
  expect(app.heard).toEqual([])
})
