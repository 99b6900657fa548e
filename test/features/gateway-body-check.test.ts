import { createServer } from 'node:http'
import { afterEach, expect, test } from 'vitest'
import { catchAllRoute, type GatewayWorld, gatewayWorld, listen, readBody, stop } from './gateway-world.ts'

const closers: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const close of closers.splice(0)) await close()
})

interface Told {
  readonly body: string
  readonly length: string | undefined
  readonly partial: string | string[] | undefined
}

/** A gateway whose provider, over HTTP, is told bodies; `told` is what it heard. */
async function open(includeRequestBodyInCheck: object, status = 200) {
  const told: Told[] = []
  const server = createServer((request, response) => {
    void readBody(request).then((body) => {
      const { 'content-length': length, 'x-envoy-auth-partial-body': partial } = request.headers
      told.push({ body, length, partial })
      response.writeHead(status).end()
    })
  })
  const port = await listen(server)
  const envoyExtAuthzHttp = { service: 'auth.example.com', port: 9000, includeRequestBodyInCheck }
  const world: GatewayWorld = await gatewayWorld({
    yaml: `
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: { name: ask, namespace: istio-system }
spec: { action: CUSTOM, provider: { name: auth }, rules: [{}] }
---
${JSON.stringify({ extensionProviders: [{ name: 'auth', envoyExtAuthzHttp }] })}
---
${catchAllRoute}`,
    resolveUpstream: (host) => ({
      kind: 'origin',
      origin: `http://127.0.0.1:${host === 'auth.example.com' ? port : world.upstreamPort}`,
    }),
  })
  closers.push(
    () => world.close(),
    () => stop(server),
  )
  return { world, told }
}

test('a provider that asked for it sees the body, and so does the app', async () => {
  const { world, told } = await open({ maxRequestBytes: 10 })
  expect(await world.send('POST', '/', {}, '0123456789')).toMatchObject({ status: 200 })
  expect(told).toEqual([{ body: '0123456789', length: '10', partial: 'false' }])
  expect(world.seen[0]?.body).toBe('0123456789')
})

test('a body that is too long is refused, the provider unasked', async () => {
  const { world, told } = await open({ maxRequestBytes: 10 })
  expect(await world.send('POST', '/', {}, '0123456789x')).toMatchObject({ status: 413, body: 'Payload Too Large' })
  expect([told, world.seen]).toEqual([[], []])
})

test('its beginning is enough where a partial message is allowed; the app gets all of it', async () => {
  const { world, told } = await open({ maxRequestBytes: 10, allowPartialMessage: true })
  const long = 'abcdefghij'.repeat(30_000)
  expect(await world.send('POST', '/', {}, long)).toMatchObject({ status: 200 })
  expect(told).toEqual([{ body: 'abcdefghij', length: '10', partial: 'true' }])
  expect(world.seen[0]?.body).toBe(long)
})

test('a request without a body is asked about at once', async () => {
  const { world, told } = await open({ maxRequestBytes: 10 })
  await world.send('GET', '/')
  expect(told).toEqual([{ body: '', length: undefined, partial: undefined }])
})

test('a refusal after the body was seen is the answer', async () => {
  const { world } = await open({ maxRequestBytes: 10 }, 401)
  expect(await world.send('POST', '/', {}, 'secret')).toMatchObject({ status: 401 })
  expect(world.seen).toEqual([])
})
