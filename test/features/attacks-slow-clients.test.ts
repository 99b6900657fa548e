import { once } from 'node:events'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { type AddressInfo, connect, type Socket } from 'node:net'
import { afterEach, describe, expect, test } from 'vitest'
import type { Limits } from '../../src/app/listener/limits.ts'
import { openServer } from '../../src/app/open-server.ts'
import { attackWorld } from './attacks-world.ts'

const closers: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const close of closers.splice(0)) await close()
})

/** The public listener with little patience in front of a handler. */
async function listener(
  handle: (request: IncomingMessage, response: ServerResponse) => void,
  limits: Partial<Limits>,
): Promise<() => Socket> {
  const opened = openServer({ limits })
  opened.serve({ handle, upgrade: (_, socket) => socket.write('HTTP/1.1 101 Switching Protocols\r\n\r\n') })
  await new Promise<void>((resolve) => opened.server.listen(0, '127.0.0.1', resolve))
  closers.push(() => opened.close(0))
  const { port } = opened.server.address() as AddressInfo // it listens on a port
  return () => {
    const socket = connect(port, '127.0.0.1')
    socket.on('error', () => {}) // a reset is a close like any other
    return socket
  }
}

/** Everything that came until the connection was closed. */
async function textUntilClosed(socket: Socket): Promise<string> {
  let text = ''
  socket.setEncoding('latin1')
  socket.on('data', (chunk: string) => {
    text += chunk
  })
  await once(socket, 'close')
  return text
}

const head = 'POST /x HTTP/1.1\r\nHost: a.example\r\nContent-Length: 1000\r\n\r\n'
const forever = 600_000

describe('a client that stops in the middle of a body is cut off', () => {
  test('while the app waits for it', async () => {
    const dial = await listener((request) => request.resume(), { bodyIdle: 50, unwantedBody: forever })
    const socket = dial()
    socket.write(`${head}some of it`)
    expect(await textUntilClosed(socket)).toMatch(/^HTTP\/1\.1 408 .*body too slow/s)
  })

  test('when it has long been answered', async () => {
    const refuse = (_: IncomingMessage, response: ServerResponse) =>
      void response.writeHead(403, { 'content-length': 2 }).end('no')
    const dial = await listener(refuse, { bodyIdle: forever, unwantedBody: 50 })
    const socket = dial()
    socket.write(`${head}some of it`)
    expect(await textUntilClosed(socket)).toMatch(/^HTTP\/1\.1 403 .*no$/s)
  })

  test('though it goes on sending a byte now and then', async () => {
    const refuse = (_: IncomingMessage, response: ServerResponse) =>
      void response.writeHead(403, { 'content-length': 2 }).end('no')
    const dial = await listener(refuse, { bodyIdle: forever, unwantedBody: 50 })
    const socket = dial()
    socket.write(head)
    const trickle = setInterval(() => socket.write('x'), 5)
    await textUntilClosed(socket)
    clearInterval(trickle)
  })
})

describe('who waits for us is not cut off', () => {
  test('by an answer that takes longer than that', async () => {
    const slowly = (_: IncomingMessage, response: ServerResponse) => void setTimeout(() => response.end('late'), 200)
    const dial = await listener(slowly, { bodyIdle: 20, unwantedBody: 20 })
    const socket = dial()
    socket.write('GET /x HTTP/1.1\r\nHost: a.example\r\nConnection: close\r\n\r\n')
    expect(await textUntilClosed(socket)).toMatch(/^HTTP\/1\.1 200 .*late/s)
  })

  test('in the middle of a body that an app is slow to take', async () => {
    const slowly = (request: IncomingMessage, response: ServerResponse) => {
      setTimeout(() => request.resume().on('end', () => response.end('all of it')), 200)
    }
    const dial = await listener(slowly, { bodyIdle: 20, unwantedBody: 20 })
    const socket = dial()
    const size = 4 * 1024 * 1024
    socket.write(`POST /x HTTP/1.1\r\nHost: a.example\r\nConnection: close\r\nContent-Length: ${size}\r\n\r\n`)
    socket.write('x'.repeat(size))
    expect(await textUntilClosed(socket)).toMatch(/^HTTP\/1\.1 200 .*all of it/s)
  })

  test('on a WebSocket on which nothing happens', async () => {
    const dial = await listener(() => {}, { bodyIdle: 20, unwantedBody: 20 })
    const [quiet, probe] = [dial(), dial()]
    quiet.write('GET /x HTTP/1.1\r\nHost: a.example\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n')
    await once(quiet, 'data')
    probe.write(head)
    await textUntilClosed(probe) // by now the quiet one has been silent as long as the one that was cut off
    expect(quiet.destroyed).toBe(false)
    quiet.destroy()
  })
})

test('hundreds of half-sent requests do not keep anyone from signing in', async () => {
  const world = await attackWorld()
  const port = world.gatehouse.port.used
  const halves = [
    'GET /echo/ HTT',
    'GET /echo/ HTTP/1.1\r\nHost: a\r\nX-Slow: ',
    `POST /auth/realms/platform/protocol/openid-connect/token HTTP/1.1\r\nHost: ${world.host}\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 99\r\n\r\ngrant_type=`,
    `POST /echo/ HTTP/1.1\r\nHost: ${world.host}\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab`,
  ]
  const slow = Array.from({ length: 400 }, (_, at) => {
    const socket = connect(port, 'localhost')
    socket.on('error', () => {})
    socket.write(halves[at % halves.length] ?? '')
    return socket
  })
  await Promise.all(slow.map((socket) => once(socket, 'connect')))
  expect((await world.signIn()).cookie).toContain('gatehouse=')
  for (const socket of slow) socket.destroy()
  await world.close()
})
