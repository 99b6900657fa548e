import { once } from 'node:events'
import { createServer, type IncomingHttpHeaders, type ServerHttp2Stream } from 'node:http2'
import type { AddressInfo } from 'node:net'
import { afterEach, describe, expect, test } from 'vitest'
import { testGatehouse } from '../world/gatehouse.ts'
import { catchAllRoute, dexIssuer, type GatewayWorld, gatewayWorld, mint, stockPolicies } from './gateway-world.ts'
import { type Http2Client, http2Client, listenerWorld } from './listener-world.ts'

const closers: (() => unknown)[] = []
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close()
})

/** The gateway behind the public listener, and an HTTP/2 client of it. */
async function open(
  options: Parameters<typeof gatewayWorld>[0] = { yaml: catchAllRoute },
): Promise<{ world: GatewayWorld; client: Http2Client; port: number }> {
  const world = await gatewayWorld(options)
  const listener = await listenerWorld({ handler: world.gateway })
  const client = http2Client(listener.port)
  closers.push(
    () => world.close(),
    () => listener.close(),
    () => client.close(),
  )
  return { world, client, port: listener.port }
}

/** The same in front of a gRPC server. */
async function openCalls(
  answer: (stream: ServerHttp2Stream, headers: IncomingHttpHeaders) => void,
  yaml = catchAllRoute,
) {
  const app = createServer()
  app.on('stream', (stream: ServerHttp2Stream, headers: IncomingHttpHeaders) => {
    stream.on('error', () => {})
    answer(stream, headers)
  })
  await new Promise<void>((resolve) => app.listen(0, '127.0.0.1', () => resolve()))
  closers.push(() => app.close())
  const { port } = app.address() as AddressInfo
  return open({ yaml, resolveUpstream: () => ({ kind: 'origin', origin: `http://127.0.0.1:${port}` }) })
}

const call = { ':method': 'POST', ':path': '/notes.Notes/List', 'content-type': 'application/grpc', te: 'trailers' }

/** Answers a call with frames and `grpc-status`. */
function answerCall(stream: ServerHttp2Stream, body: string, trailers: Record<string, string>): void {
  if (!stream.headersSent) stream.respond({ 'content-type': 'application/grpc' }, { waitForTrailers: true })
  stream.on('wantTrailers', () => stream.sendTrailers(trailers))
  stream.end(body)
}

describe('an HTTP/2 client', () => {
  test('reaches an HTTP/1.1 app as any other client does', async () => {
    const { world, client } = await open()
    const reply = await client.ask({ ':path': '/x?q=1', 'x-a': 'b', cookie: ['a=1', 'b=2'] })
    expect(reply).toMatchObject({ headers: { ':status': 200 }, body: 'from the app' })
    expect(world.seen).toMatchObject([
      {
        method: 'GET',
        url: '/x?q=1',
        headers: { host: 'platform.example.com', 'x-a': 'b', cookie: 'a=1; b=2', 'x-forwarded-for': '127.0.0.1' },
      },
    ])
    expect(world.seen[0]?.rawHeaders.filter((_, at) => at % 2 === 0).join()).not.toMatch(/:|transfer-encoding/)
  })

  test('may leave out :authority where it says host', async () => {
    const { world, client } = await open()
    await client.ask({ ':path': '/', host: 'a.example' })
    expect(world.seen[0]?.headers.host).toBe('a.example')
  })

  test('sends a body with and without its length', async () => {
    const { world, client } = await open()
    await client.ask({ ':method': 'POST', ':path': '/x', 'content-length': '5' }, 'hello')
    await client.ask({ ':method': 'PUT', ':path': '/x' }, 'no length')
    await client.ask({ ':method': 'POST', ':path': '/x' }, '')
    expect(world.seen.map(({ method, body }) => [method, body])).toEqual([
      ['POST', 'hello'],
      ['PUT', 'no length'],
      ['POST', ''],
    ])
  })

  test('that asks before it sends a body is told to go on', async () => {
    const { client } = await open()
    const head = { ':method': 'POST', ':path': '/', ':authority': 'a.example', expect: '100-continue' }
    const stream = client.session.request(head)
    await once(stream, 'continue')
    stream.end('the body')
    expect((await once(stream, 'response'))[0][':status']).toBe(200)
  })

  test('gets every cookie, no header of a connection, no body for HEAD', async () => {
    const { client } = await open({
      yaml: catchAllRoute,
      upstream: (_, response) => {
        response.writeHead(201, 'A reason', [
          ['set-cookie', 'a=1'],
          ['set-cookie', 'b=2'],
          ['connection', 'close'],
          ['x-many', '1'],
          ['x-many', '2'],
          ['content-length', '4'],
        ])
        response.end('body')
      },
    })
    const reply = await client.ask({ ':path': '/' })
    expect(reply.body).toBe('body')
    expect(reply.headers).toMatchObject({ ':status': 201, 'set-cookie': ['a=1', 'b=2'], 'x-many': '1, 2' })
    expect(reply.headers.connection).toBeUndefined()
    expect(await client.ask({ ':method': 'HEAD', ':path': '/' })).toMatchObject({
      headers: { ':status': 201, 'content-length': '4' },
      body: '',
      isHeadOnly: true,
    })
  })

  test('is refused by the policies like any other, with an id to ask about', async () => {
    const { client } = await open({ yaml: stockPolicies(), mode: 'istio' })
    const reply = await client.ask({ ':path': '/x' })
    expect(reply).toMatchObject({ headers: { ':status': 403 }, body: 'RBAC: access denied' })
    expect(reply.headers['x-request-id']).toMatch(/^[\da-f-]{36}$/)
    const token = await mint({ iss: dexIssuer, sub: '1', email: 'ada@example.com', exp: 4_000_000_000 })
    const allowed = await client.ask({ ':path': '/x', authorization: `Bearer ${token}` })
    expect(allowed).toMatchObject({ headers: { ':status': 200 }, body: 'from the app' })
  })

  test('gets events as they come', async () => {
    let send = (_: string): void => {}
    const { client } = await open({
      yaml: catchAllRoute,
      upstream: (_, response) => {
        response.writeHead(200, { 'content-type': 'text/event-stream' })
        response.flushHeaders()
        send = (text) => void response.write(text)
      },
    })
    const stream = client.session.request({ ':path': '/events', ':authority': 'a.example' })
    const [head] = await once(stream, 'response')
    expect(head['content-type']).toBe('text/event-stream')
    for (const event of ['data: 1\n\n', 'data: 2\n\n']) {
      send(event)
      const [chunk] = await once(stream, 'data')
      expect(String(chunk)).toBe(event)
    }
  })

  test('that takes a request back takes it back from the app', async () => {
    let aborted: Promise<unknown> = Promise.resolve()
    let arrived = (): void => {}
    const isThere = new Promise<void>((resolve) => {
      arrived = resolve
    })
    const { client } = await open({
      yaml: catchAllRoute,
      upstream: (request) => {
        aborted = once(request.socket, 'close')
        arrived()
      },
    })
    const stream = client.session.request({ ':path': '/', ':authority': 'a.example' })
    stream.on('error', () => {})
    await isThere
    stream.close(8) // CANCEL
    await aborted
  })

  test('sees an answer that broke off as broken', async () => {
    const { client } = await open({
      yaml: catchAllRoute,
      upstream: (_, response) => {
        response.writeHead(200, { 'content-length': 100 })
        response.write('some')
        response.socket?.end()
      },
    })
    await expect(client.ask({ ':path': '/' })).rejects.toThrow('NGHTTP2_INTERNAL_ERROR')
  })

  test('opens no WebSocket: it is told to do so over HTTP/1.1 by what the server does not offer', async () => {
    const { client } = await open()
    await once(client.session, 'remoteSettings')
    expect(client.session.remoteSettings.enableConnectProtocol).toBe(false)
    const reply = await client.ask({ ':method': 'CONNECT', ':path': undefined as unknown as string })
    expect(reply.headers[':status']).toBe(400)
  })
})

test('who is being answered when the listener closes is answered whole, and told to go elsewhere', async () => {
  let finish = (): void => {}
  const listener = await listenerWorld({
    handler: {
      handle: (_, response) => {
        response.writeHead(200).write('some')
        finish = () => void response.end(' and the rest')
      },
    },
  })
  const client = http2Client(listener.port)
  const stream = client.session.request({ ':path': '/', ':authority': 'a.example' })
  stream.setEncoding('utf8')
  await once(stream, 'data')
  const goesAway = once(client.session, 'goaway')
  const closed = listener.close(10_000)
  await goesAway
  finish()
  expect(await once(stream, 'data')).toEqual([' and the rest'])
  await closed
})

describe('a gRPC call', () => {
  test('of one message is answered with one, and trailers', async () => {
    let seen: IncomingHttpHeaders = {}
    const { client } = await openCalls((stream, headers) => {
      seen = headers
      let body = ''
      stream.on('data', (chunk) => {
        body += chunk
      })
      stream.on('end', () => answerCall(stream, `got ${body}`, { 'grpc-status': '0', 'x-note': 'last' }))
    })
    const reply = await client.ask({ ...call, 'grpc-timeout': '1S' }, 'a frame')
    expect(reply).toMatchObject({ body: 'got a frame', trailers: { 'grpc-status': '0', 'x-note': 'last' } })
    expect(seen).toMatchObject({ te: 'trailers', 'grpc-timeout': '1S', ':path': '/notes.Notes/List' })
  })

  test('streams both ways at once', async () => {
    const { client } = await openCalls((stream) => {
      stream.respond({ 'content-type': 'application/grpc' }, { waitForTrailers: true })
      stream.on('data', (chunk) => stream.write(`echo ${chunk}`))
      stream.on('end', () => answerCall(stream, 'bye', { 'grpc-status': '0' }))
    })
    const stream = client.session.request({ ...call, ':authority': 'a.example' })
    stream.setEncoding('utf8')
    for (const message of ['one', 'two', 'three']) {
      stream.write(message)
      expect(await once(stream, 'data')).toEqual([`echo ${message}`])
    }
    const trailers = once(stream, 'trailers')
    stream.end()
    expect(await once(stream, 'data')).toEqual(['bye'])
    expect((await trailers)[0]).toMatchObject({ 'grpc-status': '0' })
  })

  test('whose client is slow to read is answered whole, though its trailers are long there', async () => {
    const size = 120_000 // more than the client's window, less than what is on its way at most
    let isSent: Promise<unknown> = Promise.resolve()
    const { client } = await openCalls((stream) => {
      isSent = once(stream, 'wantTrailers')
      answerCall(stream, 'x'.repeat(size), { 'grpc-status': '0' })
    })
    const stream = client.session.request({ ...call, ':authority': 'a.example' }, { endStream: true })
    await once(stream, 'response')
    await isSent
    await new Promise((resolve) => setTimeout(resolve, 50)) // and have arrived
    let length = 0
    stream.on('data', (chunk: Buffer) => {
      length += chunk.length
    })
    const [trailers] = await once(stream, 'trailers')
    await once(stream, 'close')
    expect([length, trailers['grpc-status']]).toEqual([size, '0'])
  })

  test('that the app ends with its head ends with its head', async () => {
    const { client } = await openCalls((stream) => {
      const head = { 'content-type': 'application/grpc', 'grpc-status': '5', 'grpc-message': 'no such note' }
      stream.respond(head, { endStream: true })
    })
    const reply = await client.ask(call, 'a frame')
    expect(reply).toMatchObject({ isHeadOnly: true, headers: { 'grpc-status': '5', 'grpc-message': 'no such note' } })
  })

  test('that the policies refuse ends with its head', async () => {
    const { client } = await openCalls((stream) => answerCall(stream, '', {}), stockPolicies())
    const reply = await client.ask(call, 'a frame')
    expect(reply).toMatchObject({
      isHeadOnly: true,
      headers: { ':status': 200, 'content-type': 'application/grpc', 'grpc-status': '7' },
    })
  })

  test('that the app breaks off is broken off', async () => {
    const { client } = await openCalls((stream) => {
      stream.respond({ 'content-type': 'application/grpc' })
      stream.write('some', () => stream.destroy(new Error('gone')))
    })
    await expect(client.ask(call, 'a frame')).rejects.toThrow('NGHTTP2_INTERNAL_ERROR')
  })

  test('does not wait for others that stay open', async () => {
    const { client, port } = await openCalls((stream) => {
      stream.respond({ 'content-type': 'application/grpc' }, { waitForTrailers: true })
      stream.write('open')
      stream.on('end', () => answerCall(stream, '', { 'grpc-status': '0' }))
      stream.resume()
    })
    const others = [client, http2Client(port), http2Client(port)]
    closers.push(...others.map((one) => () => one.close()))
    const streams = others.flatMap(({ session }) =>
      Array.from({ length: 90 }, () => session.request({ ...call, ':authority': 'a.example' })),
    )
    for (const stream of streams) stream.on('error', () => {})
    await Promise.all(streams.map((stream) => once(stream, 'data')))
  })
})

test('somebody signs in over HTTP/2, through every part in this process', async () => {
  const gatehouse = await testGatehouse()
  const client = http2Client(gatehouse.port.used, 'localhost')
  closers.push(
    () => gatehouse.close(),
    () => client.close(),
  )
  const { host } = new URL(gatehouse.publicUrl)
  const cookies = new Map<string, string>()
  const ask = async (path: string, form?: Record<string, string>) => {
    const body = form && new URLSearchParams(form).toString()
    const cookie = [...cookies].map(([name, value]) => `${name}=${value}`)
    const reply = await client.ask(
      {
        ...{ ':authority': host, ':path': path, ':method': form ? 'POST' : 'GET', accept: 'text/html', cookie },
        'sec-fetch-dest': 'document',
        'sec-fetch-mode': 'navigate',
        ...(form ? { 'content-type': 'application/x-www-form-urlencoded', origin: gatehouse.publicUrl } : {}),
      },
      body,
    )
    for (const line of reply.headers['set-cookie'] ?? []) {
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(line) ?? []
      cookies.set(name, value)
    }
    return reply
  }
  const follow = async (path: string) => {
    let reply = await ask(path)
    for (let hop = 0; hop < 12 && reply.headers.location !== undefined; hop += 1) {
      const next = new URL(reply.headers.location, gatehouse.publicUrl)
      reply = await ask(next.pathname + next.search)
    }
    return reply
  }
  const page = await follow('/oauth2/start?rd=%2Fecho%2F')
  expect(page.headers[':status']).toBe(200)
  const unescaped = (text: string) => text.replaceAll('&amp;', '&')
  const [, action = ''] = /<form[^>]+action="([^"]+)"/.exec(page.body) ?? []
  const hidden = [...page.body.matchAll(/<input type="hidden" name="([^"]+)" value="([^"]*)"/g)]
  const fields = Object.fromEntries(hidden.map(([, name = '', value = '']) => [name, unescaped(value)]))
  const user = gatehouse.newUsers[0]
  const target = new URL(unescaped(action), `${gatehouse.publicUrl}/`)
  const signedIn = await ask(target.pathname + target.search, {
    ...fields,
    username: user?.username ?? '',
    password: user?.password ?? '',
  })
  const back = await follow(
    new URL(signedIn.headers.location ?? '', gatehouse.publicUrl).href.slice(gatehouse.publicUrl.length),
  )
  expect(back).toMatchObject({ headers: { ':status': 200 } })
  expect((await ask('/echo/')).body).toContain(user?.email ?? 'no user')
})
