import { afterEach, describe, expect, test } from 'vitest'
import { catchAllRoute, type GatewayWorld, gatewayWorld } from './gateway-world.ts'

let world: GatewayWorld | undefined
afterEach(() => world?.close())

const denyFrom = (source: object) =>
  JSON.stringify({
    apiVersion: 'security.istio.io/v1',
    kind: 'AuthorizationPolicy',
    metadata: { name: 'deny', namespace: 'istio-system' },
    spec: { action: 'DENY', rules: [{ from: [{ source }] }] },
  })
const trusting = (numTrustedProxies: number) =>
  JSON.stringify({ defaultConfig: { gatewayTopology: { numTrustedProxies } } })

async function open(proxies: number, source: object = { remoteIpBlocks: ['172.17.0.0/16', '192.168.5.233'] }) {
  world = await gatewayWorld({ yaml: [catchAllRoute, denyFrom(source), trusting(proxies)].join('\n---\n') })
  return world
}

describe('with one trusted proxy', () => {
  test.each([
    ['172.17.72.46', 403],
    ['192.168.5.233', 403],
    ['10.4.5.6', 200],
    ['172.17.72.46, 10.4.5.6', 200],
    ['10.4.5.6, 172.17.72.46', 403],
    ['junk', 200],
  ])('the client of %s gets %i', async (forwardedFor, status) => {
    const { send } = await open(1)
    expect((await send('GET', '/', { 'x-forwarded-for': forwardedFor })).status).toBe(status)
  })

  test('the peer is added to the list, and what the proxy says of the request stays', async () => {
    const { send, seen } = await open(1)
    await send('GET', '/', { 'x-forwarded-for': '10.4.5.6', 'x-forwarded-proto': 'https', 'x-forwarded-port': '443' })
    expect(seen[0]?.headers).toMatchObject({
      'x-forwarded-for': '10.4.5.6,127.0.0.1',
      'x-forwarded-proto': 'https',
      'x-forwarded-port': '443',
    })
  })
})

test('without trusted proxies nobody can claim another address', async () => {
  const { send } = await open(0)
  expect((await send('GET', '/', { 'x-forwarded-for': '172.17.72.46' })).status).toBe(200)
  await world?.close()
  const peer = await open(0, { remoteIpBlocks: ['127.0.0.1'] })
  expect((await peer.send('GET', '/', { 'x-forwarded-for': '10.4.5.6' })).status).toBe(403)
})

test('what policies and providers see of a request’s way is what the app sees', async () => {
  const ask = {
    apiVersion: 'security.istio.io/v1',
    kind: 'AuthorizationPolicy',
    metadata: { name: 'ask', namespace: 'istio-system' },
    spec: {
      action: 'CUSTOM',
      provider: { name: 'oauth2-proxy' },
      rules: [{ when: [{ key: 'request.headers[x-forwarded-for]', values: ['127.0.0.1'] }] }],
    },
  }
  const includeRequestHeadersInCheck = ['x-forwarded-*']
  const provider = { name: 'oauth2-proxy', envoyExtAuthzHttp: { service: 'a', port: 80, includeRequestHeadersInCheck } }
  const mesh = JSON.stringify({ extensionProviders: [provider] })
  world = await gatewayWorld({ yaml: [catchAllRoute, JSON.stringify(ask), mesh].join('\n---\n') })
  const spoofed = { 'x-forwarded-for': '6.6.6.6', 'x-forwarded-proto': 'https', 'x-forwarded-host': 'evil.example' }
  await world.send('GET', '/', spoofed)
  const told = {
    'x-forwarded-for': '127.0.0.1',
    'x-forwarded-proto': 'http',
    'x-forwarded-host': 'platform.example.com',
  }
  expect(world.asked[0]?.headers).toEqual(told)
  expect(world.seen[0]?.headers).toMatchObject(told)
})

test('in istio mode the list of addresses is added to', async () => {
  world = await gatewayWorld({ yaml: catchAllRoute, mode: 'istio' })
  await world.send('GET', '/', { 'x-forwarded-for': '6.6.6.6', 'x-forwarded-host': 'any.example' })
  expect(world.seen[0]?.headers).toMatchObject({
    'x-forwarded-for': '6.6.6.6,127.0.0.1',
    'x-forwarded-host': 'any.example',
  })
})

test('with more trusted proxies than entries the peer is the client', async () => {
  const { send } = await open(3, { remoteIpBlocks: ['127.0.0.1'] })
  expect((await send('GET', '/', { 'x-forwarded-for': '10.4.5.6, 10.4.5.7' })).status).toBe(403)
  expect((await send('GET', '/', { 'x-forwarded-for': '10.4.5.5, 10.4.5.6, 10.4.5.7' })).status).toBe(200)
})

test('ipBlocks look at the peer, whatever proxies say', async () => {
  const { send } = await open(1, { ipBlocks: ['127.0.0.1'] })
  expect((await send('GET', '/', { 'x-forwarded-for': '10.4.5.6' })).status).toBe(403)
})

test('the public address decides the scheme an app is told', async () => {
  world = await gatewayWorld({ yaml: catchAllRoute, publicUrl: 'https://platform.example.com' })
  await world.send('GET', '/', { 'x-forwarded-proto': 'http' })
  expect(world.seen[0]?.headers['x-forwarded-proto']).toBe('https')
})

test('a trailing dot does not slip past a rule on the host natively', async () => {
  const deny = JSON.stringify({
    apiVersion: 'security.istio.io/v1',
    kind: 'AuthorizationPolicy',
    metadata: { name: 'deny', namespace: 'istio-system' },
    spec: {
      action: 'DENY',
      rules: [{ to: [{ operation: { hosts: ['secret.example.com', 'secret.example.com:*'] } }] }],
    },
  })
  const yaml = `${catchAllRoute}\n---\n${deny}`
  world = await gatewayWorld({ yaml })
  for (const host of ['secret.example.com', 'SECRET.example.com.', 'secret.example.com.:80', 'secret.example.com..']) {
    expect((await world.send('GET', '/', { host })).status).toBe(403)
  }
  await world.close()
  world = await gatewayWorld({ yaml, mode: 'istio' })
  expect((await world.send('GET', '/', { host: 'secret.example.com.' })).status).toBe(200)
})

test('a reload takes effect from the next request on', async () => {
  world = await gatewayWorld({ yaml: catchAllRoute })
  expect((await world.send('GET', '/')).status).toBe(200)
  const { parseGatewayConfig } = await import('../../src/gateway/config.ts')
  const { Problems } = await import('../../src/kit/problems.ts')
  world.gateway.reload(parseGatewayConfig([], new Problems()))
  expect((await world.send('GET', '/')).status).toBe(404)
})
