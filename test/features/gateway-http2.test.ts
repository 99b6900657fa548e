import { request as httpRequest, type IncomingMessage } from 'node:http'
import { createServer, type Http2Server, type IncomingHttpHeaders, type ServerHttp2Stream } from 'node:http2'
import type { AddressInfo } from 'node:net'
import { afterEach, expect, test } from 'vitest'
import { catchAllRoute, type GatewayWorld, gatewayWorld } from './gateway-world.ts'

const closers: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const close of closers.splice(0)) await close()
})

/** A gateway in front of an app that speaks only HTTP/2 without TLS. */
async function open(answer: (stream: ServerHttp2Stream, headers: IncomingHttpHeaders) => void, isHttp2 = true) {
  const app: Http2Server = createServer()
  app.on('stream', answer)
  await new Promise<void>((resolve) => app.listen(0, '127.0.0.1', () => resolve()))
  const { port } = app.address() as AddressInfo
  const world: GatewayWorld = await gatewayWorld({
    yaml: catchAllRoute,
    resolveUpstream: () => ({ kind: 'origin', origin: `http://127.0.0.1:${port}`, isHttp2 }),
  })
  closers.push(
    () => world.close(),
    () => new Promise<void>((resolve) => app.close(() => resolve())),
  )
  return world
}

/** One request, its trailers included. */
function call(
  port: number,
  headers: Readonly<Record<string, string>>,
  body: string,
): Promise<IncomingMessage & { text: string }> {
  return new Promise((resolve, reject) => {
    const request = httpRequest({ port, host: '127.0.0.1', method: 'POST', path: '/a.A/Do?x', headers, agent: false })
    request.on('error', reject)
    request.on('response', (response) => {
      let text = ''
      response.on('data', (chunk) => {
        text += chunk
      })
      response.on('end', () => resolve(Object.assign(response, { text })))
    })
    request.end(body)
  })
}

test('an app that speaks HTTP/2 gets the request, its body and one Host', async () => {
  let seen: IncomingHttpHeaders = {}
  const world = await open((stream, headers) => {
    seen = headers
    stream.respond({ ':status': 201, 'x-app': '1' })
    stream.pipe(stream)
  })
  const reply = await world.send('POST', '/x?q=1', { 'x-a': 'b', connection: 'keep-alive' }, 'echo')
  expect(reply).toMatchObject({ status: 201, body: 'echo', headers: { 'x-app': '1' } })
  expect(seen).toMatchObject({
    ':method': 'POST',
    ':path': '/x?q=1',
    ':authority': 'platform.example.com',
    'x-a': 'b',
    'x-forwarded-proto': 'http',
  })
})

test('a gRPC call goes over HTTP/2 and its trailers come back', async () => {
  let te: unknown
  const world = await open((stream, headers) => {
    te = headers.te
    stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true })
    stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '5', 'grpc-message': 'no such note' }))
    stream.end('frame')
    stream.resume()
  }, false)
  const reply = await call(world.port, { 'content-type': 'application/grpc', te: 'trailers' }, 'ask')
  expect([reply.statusCode, reply.text, te]).toEqual([200, 'frame', 'trailers'])
  expect(reply.trailers).toEqual({ 'grpc-status': '5', 'grpc-message': 'no such note' })
})

test('an HTTP/2 app that is not there is a 503', async () => {
  const world = await gatewayWorld({
    yaml: catchAllRoute,
    resolveUpstream: () => ({ kind: 'origin', origin: 'http://127.0.0.1:1', isHttp2: true }),
  })
  closers.push(() => world.close())
  expect((await world.send('GET', '/')).status).toBe(503)
})
