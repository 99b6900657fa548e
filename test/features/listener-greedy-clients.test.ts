import { spawn } from 'node:child_process'
import { once } from 'node:events'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { connect, type Socket } from 'node:net'
import process from 'node:process'
import { createInterface } from 'node:readline'
import type { Duplex } from 'node:stream'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { afterEach, describe, expect, test } from 'vitest'
import { openLog } from '../../src/kit/log.ts'
import { testClock } from '../world/clock.ts'
import { catchAllRoute, gatewayWorld, type Reply } from './gateway-world.ts'
import { type ListenerWorld, listenerWorld } from './listener-world.ts'

const closers: (() => unknown)[] = []
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close()
})

async function open(options: Parameters<typeof listenerWorld>[0]): Promise<ListenerWorld> {
  const world = await listenerWorld(options)
  closers.push(() => world.close())
  return world
}

/** Everything that came until the connection was closed. */
async function textUntilClosed(socket: Socket): Promise<string> {
  const chunks: Buffer[] = []
  socket.on('data', (chunk: Buffer) => chunks.push(chunk))
  if (!socket.closed) await new Promise((resolve) => socket.once('close', resolve))
  return Buffer.concat(chunks).toString('latin1')
}

/** Until the other side has said something. */
async function said(socket: Socket): Promise<string> {
  const [chunk] = await once(socket, 'data')
  return String(chunk)
}

const get = 'GET /x HTTP/1.1\r\nHost: a.example\r\n\r\n'
const post = (length: number) => `POST /x HTTP/1.1\r\nHost: a.example\r\nContent-Length: ${length}\r\n\r\n`
const afterAll = (request: IncomingMessage, response: ServerResponse) =>
  void request.resume().on('end', () => response.end('all of it'))

describe('a body', () => {
  test('that comes byte by byte is cut, and its sender told why', async () => {
    const { dial } = await open({ handler: { handle: afterAll }, limits: { bodyIdle: 60, bodyMinimum: 1000 } })
    const socket = dial()
    socket.write(post(1_000_000))
    const trickle = setInterval(() => socket.write('x'), 2)
    expect(await textUntilClosed(socket)).toMatch(/^HTTP\/1\.1 408 .*connection: close.*body too slow\n$/s)
    clearInterval(trickle)
  })

  test('that goes on is not, however long it takes', async () => {
    const clock = testClock()
    const { dial } = await open({ handler: { handle: afterAll }, limits: { bodyMinimum: 1000, head: 4 }, clock })
    const socket = dial()
    socket.write(post(20_000))
    for (let piece = 0; piece < 20; piece += 1) {
      socket.write('x'.repeat(1000))
      clock.advance(59_000)
      await new Promise((resolve) => setTimeout(resolve, 5)) // a sweep or more
    }
    expect(await said(socket)).toMatch(/^HTTP\/1\.1 200 .*all of it/s)
    socket.destroy()
  })
})

test('an answer that is not read is cut off', async () => {
  const size = 20_000_000
  let isCut: Promise<unknown> = Promise.resolve()
  const large = (_: IncomingMessage, response: ServerResponse) => {
    response.end(Buffer.alloc(size))
    isCut = once(response, 'close')
  }
  const { dial } = await open({ handler: { handle: large }, limits: { bodyIdle: 50 } })
  const socket = dial()
  socket.write(get)
  await once(socket, 'readable')
  await isCut
  expect((await textUntilClosed(socket.resume())).length).toBeLessThan(size)
})

describe('a full house', () => {
  const lines: string[] = []
  const log = openLog({ level: 'warn', now: () => 0, write: (line) => lines.push(line) })
  const reasons = () => lines.splice(0).map((line) => JSON.parse(line).reason)

  /** Answers `/x` at once, anything else never. */
  function handler() {
    let waiting = 0
    return {
      handle({ url }: IncomingMessage, response: ServerResponse) {
        if (url === '/x') response.end('hello')
        else waiting += 1
      },
      async untilWaiting(count: number) {
        while (waiting < count) await new Promise((resolve) => setTimeout(resolve, 1))
      },
    }
  }
  const wait = get.replace('/x', '/wait')

  test('makes room by cutting who never asked, then who was answered, and never who is being served', async () => {
    const app = handler()
    const { dial } = await open({ handler: app, limits: { connections: 3 }, log })
    const [served, answered, silent] = [dial(), dial(), dial()]
    served.write(wait)
    await app.untilWaiting(1)
    answered.write(get)
    await said(answered)
    silent.write('GET /x')

    const fourth = dial()
    fourth.write(wait)
    await textUntilClosed(silent)
    await app.untilWaiting(2)
    const fifth = dial()
    fifth.write(wait)
    await textUntilClosed(answered)
    await app.untilWaiting(3)
    for (let guest = 0; guest < 3; guest += 1) await textUntilClosed(dial())
    expect([served.destroyed, fourth.destroyed, fifth.destroyed]).toEqual([false, false, false])
    expect(reasons()).toEqual(['too many connections', 'no idle connection to give up']) // once, not for each
  })

  test('of one address keeps no other out', async () => {
    const app = handler()
    lines.length = 0
    const { dial } = await open({ handler: app, limits: { connectionsPerAddress: 2 }, log })
    for (const socket of [dial(), dial()]) socket.write(wait)
    await app.untilWaiting(2)
    await textUntilClosed(dial())
    const other = dial('127.0.0.2')
    other.write(get)
    expect(await said(other)).toContain('hello')
    expect(reasons()).toEqual(['too many connections from one address', 'no idle connection to give up'])
  })
})

test('a refused WebSocket whose client does not hang up is cut off', async () => {
  let isCut: Promise<unknown> = Promise.resolve()
  const upgrade = (_: IncomingMessage, socket: Duplex) => {
    isCut = new Promise((resolve) => socket.once('close', resolve))
    socket.end('HTTP/1.1 401 Unauthorized\r\ncontent-length: 0\r\n\r\n')
  }
  const { port } = await open({ handler: { upgrade }, limits: { unwantedBody: 40 } })
  const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true })
  socket.write(get.replace('\r\n\r\n', '\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n'))
  expect(await said(socket)).toContain('401')
  await isCut
  socket.destroy()
})

test('a long answer comes whole to a client that offers to upgrade to HTTP/2', async () => {
  const size = 20_000_000
  const world = await gatewayWorld({
    yaml: catchAllRoute,
    upstream: (_, response) => void response.end(Buffer.alloc(size)),
  })
  closers.push(() => world.close())
  const { dial } = await open({ handler: world.gateway })
  const socket = dial()
  socket.write(
    get.replace('\r\n\r\n', '\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AA\r\n\r\n'),
  )
  expect((await textUntilClosed(socket)).length).toBeGreaterThan(size)
})

test('behind proxies one address brings many clients', async () => {
  const limits = { connectionsPerAddress: 1 }
  const handle = (_: IncomingMessage, response: ServerResponse) => void response.end('hello')
  const { dial } = await open({ handler: { handle }, limits, isBehindProxies: true })
  const sockets = [dial(), dial(), dial()]
  for (const socket of sockets) socket.write(get)
  for (const socket of sockets) expect(await said(socket)).toContain('hello')
})

test('more requests in a row than anyone sends before an answer end the connection', async () => {
  let begun = 0
  const handle = () => {
    begun += 1
  }
  const { dial } = await open({ handler: { handle }, limits: { pipelined: 10 } })
  const socket = dial()
  socket.write(get.repeat(1000))
  await textUntilClosed(socket)
  expect(begun).toBe(11)
})

test('requests in a row are answered in that row', async () => {
  let count = 0
  const handle = (_: IncomingMessage, response: ServerResponse) => {
    count += 1
    response.end(`answer ${count}.`)
  }
  const { dial } = await open({ handler: { handle } })
  const socket = dial()
  socket.write(get.repeat(50) + get.replace('\r\n\r\n', '\r\nConnection: close\r\n\r\n'))
  const text = await textUntilClosed(socket)
  expect(text.match(/answer \d+/g)).toEqual(Array.from({ length: 51 }, (_, at) => `answer ${at + 1}`))
})

describe('an oversized head or framing is refused without being kept', () => {
  const chunked = 'POST /x HTTP/1.1\r\nHost: a.example\r\nTransfer-Encoding: chunked\r\n\r\n'
  test.each([
    ['a header of 1 MB', `GET /x HTTP/1.1\r\nHost: a\r\nX-A: ${'a'.repeat(1_000_000)}\r\n\r\n`, /^HTTP\/1\.1 431 /],
    ['a million small headers', `GET /x HTTP/1.1\r\nHost: a\r\n${'a: b\r\n'.repeat(200_000)}\r\n`, /^HTTP\/1\.1 431 /],
    ['a target of 1 MB', `GET /${'a'.repeat(1_000_000)} HTTP/1.1\r\nHost: a\r\n\r\n`, /^HTTP\/1\.1 431 /],
    ['a chunk extension of 1 MB', `${chunked}1;${'a'.repeat(1_000_000)}\r\nx\r\n0\r\n\r\n`, /^HTTP\/1\.1 413 /],
    ['trailers of 1 MB', `${chunked}0\r\nx-a: ${'a'.repeat(1_000_000)}\r\n\r\n`, /^HTTP\/1\.1 431 /],
    ['a chunk size that overflows', `${chunked}${'f'.repeat(17)}\r\nx`, /^HTTP\/1\.1 400 /],
    ['empty lines without end', '\r\n'.repeat(500_000), /^(HTTP\/1\.1 408 |$)/],
  ])('%s', async (_, bytes, refusal) => {
    const { dial } = await open({ handler: { handle: afterAll }, limits: { head: 200 } })
    const socket = dial()
    socket.write(bytes, 'latin1')
    expect(await textUntilClosed(socket)).toMatch(refusal)
  })
})

test('5,000 slow sockets keep nobody from being served, cost little, and are cut when patience ends', async () => {
  const count = 5000
  const clock = testClock()
  const world = await gatewayWorld({ yaml: catchAllRoute })
  closers.push(() => world.close())
  const limits = { connections: 10_000, connectionsPerAddress: 10_000 }
  const { port } = await open({ handler: world.gateway, limits, clock })
  const before = heapBytes()

  const child = spawn(process.execPath, [slowSockets, String(port), String(count)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  closers.push(() => child.kill())
  const told = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  expect((await told.next()).value).toBe('open')
  const replies: Pick<Reply, 'status' | 'body'>[] = []
  for (let round = 0; round < 20; round += 1) {
    replies.push(...(await Promise.all(Array.from({ length: 10 }, () => sendTo(port)))))
  }
  expect(replies.filter(({ status, body }) => status === 200 && body === 'from the app')).toHaveLength(200)
  expect(heapBytes() - before).toBeLessThan(count * 20_000)

  const patience = setInterval(() => clock.advance(61_000), 500) // a body's is counted from the sweep that first saw it
  closers.push(() => clearInterval(patience))
  expect((await told.next()).value).toBe('closed')
  expect((await sendTo(port)).status).toBe(200)
  expect(heapBytes() - before).toBeLessThan(count * 8000)
})

const slowSockets = new URL('../world/slow-sockets.ts', import.meta.url).pathname

/** A request of somebody healthy. */
async function sendTo(port: number): Promise<Pick<Reply, 'status' | 'body'>> {
  const response = await fetch(`http://127.0.0.1:${port}/x`)
  return { status: response.status, body: await response.text() }
}

function heapBytes(): number {
  setFlagsFromString('--expose-gc')
  runInNewContext('gc')()
  const { heapUsed, external } = process.memoryUsage()
  return heapUsed + external
}
