import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { afterEach, describe, expect, test } from 'vitest'
import type { Limits } from '../../src/app/listener/limits.ts'
import type { RequestHandler } from '../../src/app/open-server.ts'
import {
  endHeaders,
  endStream,
  type Frame,
  frame,
  frameType,
  get,
  headerBlock,
  opening,
  plainFields,
  readFrames,
  settingsPayload,
} from '../corpus/http2-frames.ts'
import { http2Client, listenerWorld } from './listener-world.ts'

const closers: (() => unknown)[] = []
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close()
})

const cancel = Buffer.from([0, 0, 0, 8])
const post = (stream: number) =>
  frame('headers', {
    stream,
    flags: endHeaders,
    payload: headerBlock([[':method', 'POST'], ...plainFields.slice(1)]),
  })

/** The listener, and a client of whose frames every one is told. */
async function attack(handle: RequestHandler['handle'], limits: Partial<Limits> = {}) {
  const listener = await listenerWorld({ handler: { handle }, limits })
  closers.push(() => listener.close())
  const frames: Frame[] = []
  const socket = connect(listener.port, '127.0.0.1')
  socket.on('error', () => {})
  readFrames(socket, (one) => frames.push(one))
  closers.push(() => socket.destroy())
  return { port: listener.port, socket, frames, isCut: new Promise((resolve) => socket.once('close', resolve)) }
}

/** Writes until the connection is closed, a piece a turn. */
async function flood(socket: Socket, piece: (turn: number) => Buffer): Promise<void> {
  for (let turn = 0; !socket.destroyed; turn += 1) {
    socket.write(piece(turn))
    await new Promise((resolve) => setImmediate(resolve))
  }
}

const many = (count: number, of: (at: number) => Buffer) =>
  Buffer.concat(Array.from({ length: count }, (_, at) => of(at)))
const answer: RequestHandler['handle'] = (_, response) => void response.end('hello')

describe('a flood ends its connection, and no other', () => {
  test('of requests taken back at once (rapid reset)', async () => {
    let begun = 0
    const handle: RequestHandler['handle'] = () => {
      begun += 1
    }
    const { socket, port, isCut } = await attack(handle, { judgedStreams: 50 })
    const healthy = http2Client(port)
    closers.push(() => healthy.close())
    await once(healthy.session, 'connect')
    socket.write(opening())
    await flood(socket, (turn) =>
      many(10, (at) => {
        const stream = 1 + 2 * (10 * turn + at)
        return Buffer.concat([get(stream), frame('reset', { stream, payload: cancel })])
      }),
    )
    await isCut
    expect(begun).toBeLessThan(1000)
    expect(healthy.session.destroyed).toBe(false)
  })

  test('of requests over the limit', async () => {
    let begun = 0
    const { socket, isCut } = await attack(
      () => {
        begun += 1
      },
      { streams: 10 },
    )
    socket.write(opening())
    await flood(socket, (turn) => many(10, (at) => get(1 + 2 * (10 * turn + at))))
    await isCut
    expect(begun).toBe(10)
  })

  test('of SETTINGS', async () => {
    const { socket, isCut } = await attack(answer)
    socket.write(opening())
    const settings = (turn: number) => frame('settings', { payload: settingsPayload([[4, 65_535 + (turn % 2)]]) })
    await flood(socket, (turn) => many(10, () => settings(turn)))
    await isCut
  })

  test('of PINGs while nothing is asked', async () => {
    const { socket, isCut } = await attack(answer)
    socket.write(opening())
    await flood(socket, () => many(10, () => frame('ping', { payload: Buffer.alloc(8) })))
    await isCut
  })

  test('of PINGs whose answers are not read', async () => {
    const { socket, isCut } = await attack(() => {})
    socket.write(Buffer.concat([opening(), get(1)]))
    socket.pause()
    await flood(socket, () => many(1000, () => frame('ping', { payload: Buffer.alloc(8) })))
    await isCut
  })

  test('of empty DATA', async () => {
    const { socket, isCut } = await attack((request) => void request.resume())
    socket.write(Buffer.concat([opening(), post(1)]))
    await flood(socket, () => many(10, () => frame('data', { stream: 1 })))
    await isCut
  })

  test('of CONTINUATION', async () => {
    const { socket, isCut } = await attack(answer)
    const [method, scheme, path, authority] = plainFields
    socket.write(
      Buffer.concat([
        opening(),
        frame('headers', { stream: 1, flags: endStream, payload: headerBlock([method, scheme, path, authority]) }),
      ]),
    )
    await flood(socket, (turn) =>
      frame('continuation', { stream: 1, payload: headerBlock([[`x-${turn}`, 'a'.repeat(100)]]) }),
    )
    await isCut
  })

  test('of PRIORITY and of window updates changes nothing for others', async () => {
    const { socket, port } = await attack(answer)
    socket.write(Buffer.concat([opening(), get(1)]))
    const priority = frame('priority', { stream: 3, payload: Buffer.from([0, 0, 0, 5, 1]) })
    const update = frame('windowUpdate', { payload: Buffer.from([0, 0, 0, 1]) })
    for (let turn = 0; turn < 50; turn += 1) socket.write(many(100, () => Buffer.concat([priority, update])))
    const healthy = http2Client(port)
    closers.push(() => healthy.close())
    expect((await healthy.ask({ ':path': '/' })).body).toBe('hello')
  })
})

describe('who keeps an HTTP/2 connection waiting is cut off', () => {
  test('in the middle of the preface', async () => {
    const { socket, isCut } = await attack(answer, { head: 20 })
    socket.write('PRI * HTTP/2.0\r\n')
    await isCut
  })

  test('without a request', async () => {
    const { socket, isCut } = await attack(answer, { head: 20 })
    socket.write(opening())
    await isCut
  })

  test('in the middle of a head, though it sends PINGs', async () => {
    const { socket, isCut } = await attack(answer, { head: 20 })
    const head = frame('headers', { stream: 1, flags: endStream, payload: headerBlock(plainFields) })
    socket.write(Buffer.concat([opening(), frame('ping', { payload: Buffer.alloc(8) }), head]))
    await isCut
  })

  test('in the middle of a body, by a reset of that stream alone', async () => {
    const { socket, frames } = await attack((request) => void request.resume(), { bodyIdle: 20 })
    socket.write(Buffer.concat([opening(), post(1), frame('data', { stream: 1, payload: Buffer.from('some') })]))
    await untilFrame(socket, frames, ({ type, stream }) => type === frameType.reset && stream === 1)
    socket.write(get(3))
    await untilFrame(socket, frames, ({ type, stream }) => type === frameType.reset || stream === 3)
  })

  test('by an answer it does not read', async () => {
    const { socket, frames } = await attack((_, response) => void response.end(Buffer.alloc(200_000)), { bodyIdle: 20 })
    const tinyWindow = opening([[4, 10]])
    socket.write(Buffer.concat([tinyWindow, get(1)]))
    await untilFrame(socket, frames, ({ type, stream }) => type === frameType.reset && stream === 1)
  })

  test('by many such answers, before they fill the memory', async () => {
    const large = Buffer.alloc(200_000)
    const { socket, isCut } = await attack((_, response) => void response.end(large), {
      waitingBytes: 2_000_000,
      head: 40,
    })
    socket.write(opening([[4, 10]]))
    socket.write(many(20, (at) => get(1 + 2 * at)))
    await isCut
  })

  test('after its last request, with a GOAWAY', async () => {
    const { socket, frames, isCut } = await attack(answer, { keepAlive: 20, head: 40 })
    socket.write(Buffer.concat([opening(), get(1)]))
    await untilFrame(socket, frames, ({ type }) => type === frameType.goAway)
    await isCut
  })

  test('but not a gRPC call in which nothing is said', async () => {
    let call = { received: false, closed: false }
    const handle: RequestHandler['handle'] = (request, response) => {
      if (request.headers['content-type'] !== 'application/grpc') {
        request.resume()
        return
      }
      call = { ...call, received: true }
      response.writeHead(200, { 'content-type': 'application/grpc' })
      response.flushHeaders()
      response.on('close', () => {
        call = { ...call, closed: true }
      })
    }
    const { socket, frames } = await attack(handle, { bodyIdle: 20, unwantedBody: 20, keepAlive: 20 })
    const fields = [[':method', 'POST'], ...plainFields.slice(1), ['content-type', 'application/grpc']] as const
    socket.write(
      Buffer.concat([opening(), frame('headers', { stream: 1, flags: endHeaders, payload: headerBlock(fields) })]),
    )
    socket.write(post(3)) // one that is cut off
    await untilFrame(socket, frames, ({ type, stream }) => type === frameType.reset && stream === 3)
    expect(call).toEqual({ received: true, closed: false })
  })
})

test('a body that nobody wants is taken back when the answer is there', async () => {
  const { socket, frames } = await attack((_, response) => void response.writeHead(403).end('no'))
  socket.write(Buffer.concat([opening(), post(1)]))
  await untilFrame(socket, frames, ({ type, stream }) => type === frameType.reset && stream === 1)
  expect(frames.findIndex(({ type }) => type === frameType.data)).toBeLessThan(
    frames.findIndex(({ type }) => type === frameType.reset),
  )
  const reset = frames.find(({ type }) => type === frameType.reset)
  expect(reset?.payload.readUInt32BE(0)).toBe(0) // NO_ERROR: the answer is whole
})

async function untilFrame(socket: Socket, frames: readonly Frame[], isIt: (frame: Frame) => boolean): Promise<void> {
  while (!frames.some(isIt)) await once(socket, 'data')
}
