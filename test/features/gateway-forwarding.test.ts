import { once } from 'node:events'
import { request as httpRequest, type IncomingMessage, type RequestListener } from 'node:http'
import { connect } from 'node:net'
import { afterEach, expect, test } from 'vitest'
import { catchAllRoute, type GatewayWorld, gatewayWorld, readBody } from './gateway-world.ts'

let world: GatewayWorld | undefined
afterEach(() => world?.close())

async function open(upstream?: RequestListener, options: Parameters<typeof gatewayWorld>[0] = { yaml: catchAllRoute }) {
  world = await gatewayWorld({ ...options, ...(upstream ? { upstream } : {}) })
  return world
}

/** A request whose answer is read piece by piece. */
async function begin(port: number, path = '/') {
  const request = httpRequest({ port, host: '127.0.0.1', path, headers: { host: 'a.example' }, agent: false }).end()
  const [response] = (await once(request, 'response')) as [IncomingMessage]
  return { request, response }
}

test('status, headers and body come back as the app sent them', async () => {
  const { send } = await open((_, response) => {
    response.writeHead(418, 'teapot', ['X-One', '1', 'Set-Cookie', 'a=1', 'Set-Cookie', 'b=2', 'Connection', 'close'])
    response.end('short and stout')
  })
  const reply = await send('GET', '/')
  expect(reply).toMatchObject({ status: 418, body: 'short and stout' })
  expect(reply.headers['set-cookie']).toEqual(['a=1', 'b=2'])
  expect(reply.headers['x-one']).toBe('1')
})

test('an answer to HEAD keeps its length and has no body', async () => {
  const { send } = await open((_, response) => {
    response.writeHead(200, { 'content-length': '1000' })
    response.end()
  })
  const reply = await send('HEAD', '/')
  expect(reply).toMatchObject({ status: 200, body: '' })
  expect(reply.headers['content-length']).toBe('1000')
})

test.each([204, 304])('an answer of status %i has no body', async (status) => {
  const { send } = await open((_, response) => {
    response.writeHead(status)
    response.end()
  })
  expect(await send('GET', '/')).toMatchObject({ status, body: '' })
})

test('a body goes up whole, with its length', async () => {
  const { send, seen } = await open()
  const body = 'x'.repeat(300_000)
  expect(await send('POST', '/upload', { 'content-type': 'text/plain' }, body)).toMatchObject({ status: 200 })
  expect(seen[0]?.body).toBe(body)
  expect(seen[0]?.headers).toMatchObject({ 'content-length': '300000', 'content-type': 'text/plain' })
})

test('a body goes up while it is being written', async () => {
  const pieces: string[] = []
  const arrived = Promise.withResolvers<void>()
  const { port } = await open((request, response) => {
    request.setEncoding('utf8')
    request.on('data', (piece: string) => {
      pieces.push(piece)
      arrived.resolve()
    })
    request.on('end', () => response.end('done'))
  })
  const request = httpRequest({ port, host: '127.0.0.1', method: 'POST', headers: { host: 'a.example' }, agent: false })
  request.write('first')
  await arrived.promise
  expect(pieces).toEqual(['first'])
  request.end('last')
  const [response] = (await once(request, 'response')) as [IncomingMessage]
  expect(await readBody(response)).toBe('done')
  expect(pieces.join('')).toBe('firstlast')
})

test('server-sent events arrive one by one', async () => {
  let tell: (event: string) => void = () => {}
  const { port } = await open((_, response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' })
    response.flushHeaders()
    tell = (event) => (event === '' ? response.end() : response.write(`data: ${event}\n\n`))
  })
  const { response } = await begin(port)
  expect(response.headers['content-type']).toBe('text/event-stream')
  response.setEncoding('utf8')
  for (const event of ['one', 'two']) {
    tell(event)
    expect(await once(response, 'data')).toEqual([`data: ${event}\n\n`])
  }
  tell('')
  response.resume()
  await once(response, 'end')
})

test('trailers follow a chunked answer', async () => {
  const { port } = await open((_, response) => {
    response.writeHead(200, { trailer: 'x-sum' })
    response.write('body')
    response.addTrailers({ 'x-sum': '42' })
    response.end()
  })
  const { response } = await begin(port)
  expect(await readBody(response)).toBe('body')
  expect(response.trailers).toEqual({ 'x-sum': '42' })
})

test('a slow reader holds the app back instead of filling memory', async () => {
  const size = 64 * 1024
  const total = 512
  let written = 0
  const { port } = await open((_, response) => {
    const more = () => {
      while (written < total) {
        written += 1
        if (!response.write(Buffer.alloc(size))) {
          response.once('drain', more)
          return
        }
      }
      response.end()
    }
    more()
  })
  const { response } = await begin(port)
  response.pause()
  let before = -1
  while (before !== written) {
    before = written
    for (let turn = 0; turn < 200; turn += 1) await new Promise(setImmediate)
  }
  expect(written).toBeLessThan(total)
  let received = 0
  for await (const chunk of response) received += (chunk as Buffer).length
  expect(received).toBe(size * total)
})

test('a client that goes away cancels its request at the app', async () => {
  const closed = Promise.withResolvers<void>()
  const { port } = await open((_, response) => {
    response.on('close', () => closed.resolve())
    response.write('part')
  })
  const { request, response } = await begin(port)
  await once(response, 'data')
  request.destroy()
  await closed.promise
})

test('a client that goes away before the answer cancels it too', async () => {
  const reached = Promise.withResolvers<void>()
  const closed = Promise.withResolvers<void>()
  const { port } = await open((_, response) => {
    response.on('close', () => closed.resolve())
    reached.resolve()
  })
  const socket = connect(port, '127.0.0.1', () => socket.write('GET / HTTP/1.1\r\nHost: a.example\r\n\r\n'))
  await reached.promise
  socket.destroy()
  await closed.promise
})

test('an upload that breaks off never looks whole to the app', async () => {
  const ended = Promise.withResolvers<string>()
  const { port } = await open((request) => {
    request.on('end', () => ended.resolve('whole'))
    request.on('error', () => ended.resolve('broken'))
    request.resume()
  })
  const socket = connect(port, '127.0.0.1')
  socket.write('POST / HTTP/1.1\r\nHost: a.example\r\nContent-Length: 10\r\n\r\nhalf', () => socket.destroy())
  expect(await ended.promise).toBe('broken')
})

test('an app that cannot be reached is 503', async () => {
  const { send } = await open(undefined, {
    yaml: catchAllRoute,
    resolveUpstream: () => ({ kind: 'origin', origin: 'http://127.0.0.1:1' }),
  })
  const reply = await send('GET', '/')
  expect(reply.status).toBe(503)
  expect(reply.body).toBe(
    'upstream connect error or disconnect/reset before headers. retried and the latest reset reason: remote connection failure',
  )
})

test('a destination nobody knows is 503', async () => {
  const { send } = await open(undefined, { yaml: catchAllRoute, resolveUpstream: () => undefined })
  expect(await send('GET', '/')).toMatchObject({ status: 503, body: 'no healthy upstream' })
})

test('an app that hangs up before it answers is 503', async () => {
  let requests = 0
  const { send } = await open((request) => {
    requests += 1
    request.socket.destroy()
  })
  const reply = await send('POST', '/', {}, 'body')
  expect(reply.status).toBe(503)
  expect(reply.body).toContain('connection termination')
  expect(requests).toBe(1)
})

test('a GET is sent once more when a kept-alive connection turns out dead', async () => {
  let requests = 0
  const { send } = await open((request, response) => {
    requests += 1
    if (requests === 2) request.socket.destroy()
    else response.end('fine')
  })
  expect(await send('GET', '/')).toMatchObject({ status: 200 })
  expect(await send('GET', '/')).toMatchObject({ status: 200, body: 'fine' })
  expect(requests).toBe(3)
})

test('an app that breaks off in the middle is not taken for whole', async () => {
  const { port } = await open((_, response) => {
    response.writeHead(200, { 'content-length': '100' })
    response.write('part', () => response.destroy())
  })
  const { response } = await begin(port)
  await expect(readBody(response)).rejects.toThrow('aborted')
})

test('an app that does not speak HTTP is 502', async () => {
  const { send } = await open((request) => {
    request.socket.end('HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nxx')
  })
  const reply = await send('POST', '/')
  expect(reply.status).toBe(502)
})

test('the gateway serves on after every failure', async () => {
  let requests = 0
  const { send } = await open((request, response) => {
    requests += 1
    if (requests % 2 === 1) request.socket.destroy()
    else response.end('fine')
  })
  for (let round = 0; round < 5; round += 1) {
    expect((await send('POST', '/')).status).toBe(503)
    expect((await send('POST', '/')).status).toBe(200)
  }
})
