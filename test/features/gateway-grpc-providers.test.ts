import { createServer, type IncomingHttpHeaders, type ServerHttp2Stream } from 'node:http2'
import type { AddressInfo } from 'node:net'
import { afterEach, describe, expect, test } from 'vitest'
import { MessageReader, MessageWriter } from '../../src/kit/protobuf.ts'
import { catchAllRoute, type GatewayWorld, gatewayWorld } from './gateway-world.ts'

const closers: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const close of closers.splice(0)) await close()
})

interface Call {
  readonly headers: IncomingHttpHeaders
  /** `attributes.request.http` */
  readonly http: MessageReader
  readonly attributes: MessageReader
}

/** A gateway that asks a gRPC server, which answers `response` or ends the call with another status. */
async function open(response: MessageWriter | { readonly grpcStatus: number }, fields: object = {}) {
  const calls: Call[] = []
  const server = createServer()
  server.on('stream', (stream: ServerHttp2Stream, headers) => {
    const chunks: Buffer[] = []
    stream.on('data', (chunk: Buffer) => chunks.push(chunk))
    stream.on('end', () => {
      const attributes = new MessageReader(Buffer.concat(chunks).subarray(5)).message(1)
      const http = attributes?.message(4)?.message(2)
      if (attributes && http) calls.push({ headers, http, attributes })
      if ('grpcStatus' in response) {
        stream.respond({ ':status': 200, 'grpc-status': response.grpcStatus }, { endStream: true })
        return
      }
      const message = response.finish()
      const head = Buffer.alloc(5)
      head.writeUInt32BE(message.length, 1)
      stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true })
      stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }))
      stream.end(Buffer.concat([head, message]))
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', () => resolve()))
  const { port } = server.address() as AddressInfo
  const envoyExtAuthzGrpc = { service: 'authz/auth.example.com', port: 9000, ...fields }
  const world: GatewayWorld = await gatewayWorld({
    yaml: `
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: { name: ask, namespace: istio-system }
spec: { action: CUSTOM, provider: { name: auth }, rules: [{}] }
---
${JSON.stringify({ extensionProviders: [{ name: 'auth', envoyExtAuthzGrpc }] })}
---
${catchAllRoute}`,
    resolveUpstream: (host) => ({
      kind: 'origin',
      origin: `http://127.0.0.1:${host === 'auth.example.com' ? port : world.upstreamPort}`,
    }),
  })
  closers.push(
    () => world.close(),
    () => new Promise<void>((resolve) => server.close(() => resolve())),
  )
  return { world, calls }
}

const header = (name: string, value: string) => new MessageWriter().text(1, name).text(2, value)
const option = (name: string, value: string, action = 0) =>
  new MessageWriter().message(1, header(name, value)).integer(3, action)
const appended = (name: string, value: string) => option(name, value).message(2, new MessageWriter().integer(1, 1))
const response = (code: number) => new MessageWriter().message(1, new MessageWriter().integer(1, code))
const allowing = (ok = new MessageWriter()) => response(0).message(3, ok)

describe('the check', () => {
  test('tells method, path with query, host and every header', async () => {
    const { world, calls } = await open(allowing())
    const headers = { 'X-Any': ['a', 'b'], cookie: 'a=1' }
    expect(await world.send('PUT', '/a/../b?q=1', headers)).toMatchObject({ status: 200 })
    const { http, headers: sent, attributes } = calls[0] ?? expect.fail('nobody was asked')
    expect(sent).toMatchObject({
      ':path': '/envoy.service.auth.v3.Authorization/Check',
      'content-type': 'application/grpc',
      te: 'trailers',
    })
    expect([http.text(2), http.text(4), http.text(5), http.text(6), http.text(10)]).toEqual([
      'PUT',
      '/b?q=1',
      'platform.example.com',
      'http',
      'HTTP/1.1',
    ])
    expect([http.integer(9), http.text(7), http.text(11)]).toEqual([0, '', ''])
    const told = new Map(http.messages(3).map((entry) => [entry.text(1), entry.text(2)]))
    expect(Object.fromEntries(told)).toMatchObject({ 'x-any': 'a,b', cookie: 'a=1' })
    expect(attributes.message(4)?.message(1)?.integer(1)).toBe(Math.floor(world.clock.now() / 1000))
    const source = attributes.message(1)?.message(1)?.message(1)
    expect(source?.text(2)).toBe('127.0.0.1')
    expect(attributes.message(2)?.message(1)?.message(1)?.integer(3)).toBe(world.port)
  })

  test.each([
    [false, 11],
    [true, 12],
  ])('tells the body where it is asked to (packAsBytes %s)', async (packAsBytes, field) => {
    const { world, calls } = await open(allowing(), { includeRequestBodyInCheck: { maxRequestBytes: 9, packAsBytes } })
    await world.send('POST', '/', {}, 'body')
    expect([calls[0]?.http.text(field), calls[0]?.http.integer(9)]).toEqual(['body', 4])
    expect(world.seen[0]?.body).toBe('body')
  })
})

describe('an answer', () => {
  // `append_action` is not read of request headers, as by Envoy 1.38
  test('that allows changes the request and its answer', async () => {
    const ok = new MessageWriter()
      .message(2, option('X-User', 'ada'))
      .message(2, appended('x-list', 'two'))
      .message(2, appended('x-not-there', '1'))
      .message(2, option('x-kept', 'other', 1))
      .message(2, option('host', 'evil.example'))
      .text(5, 'x-drop')
      .text(5, 'Host')
      .message(6, option('x-answer', '1'))
      .message(7, header('page', '2'))
      .text(8, 'secret')
    const { world } = await open(allowing(ok))
    const headers = { 'x-user': 'evil', 'x-list': 'one', 'x-kept': 'mine', 'x-drop': '1' }
    const reply = await world.send('GET', '/?secret=1&page=1&a=b', headers)
    expect(reply.headers['x-answer']).toBe('1')
    const { url, headers: seen } = world.seen[0] ?? expect.fail('nothing was forwarded')
    expect(url).toBe('/?a=b&page=2')
    expect(seen).toMatchObject({
      'x-user': 'ada',
      'x-list': 'one,two',
      'x-kept': 'other',
      host: 'platform.example.com',
    })
    expect(seen).not.toHaveProperty('x-drop')
    expect(seen).not.toHaveProperty('x-not-there')
  })

  test('that refuses is relayed', async () => {
    const denied = new MessageWriter()
      .message(1, new MessageWriter().integer(1, 302))
      .message(2, option('location', '/login'))
      .message(2, option('set-cookie', 'a=1'))
      .text(3, 'sign in')
    const { world } = await open(response(7).message(2, denied))
    const reply = await world.send('GET', '/')
    expect(reply).toMatchObject({
      status: 302,
      body: 'sign in',
      headers: { location: '/login', 'set-cookie': ['a=1'] },
    })
    expect(world.seen).toEqual([])
  })

  test('that refuses without saying how is a 403; one of 5xx is a refusal too, never open', async () => {
    const first = await open(response(16), { failOpen: true })
    expect((await first.world.send('GET', '/')).status).toBe(403)
    const teapot = new MessageWriter().message(1, new MessageWriter().integer(1, 503))
    const second = await open(response(7).message(2, teapot), { failOpen: true })
    expect((await second.world.send('GET', '/')).status).toBe(503)
  })

  test('that is an error counts as a failure of the provider', async () => {
    const closed = await open({ grpcStatus: 14 }, { statusOnError: 502 })
    expect(await closed.world.send('GET', '/')).toMatchObject({ status: 502, body: '' })
    const opened = await open({ grpcStatus: 14 }, { failOpen: true })
    expect(await opened.world.send('GET', '/')).toMatchObject({ status: 200 })
  })
})
