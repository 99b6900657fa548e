import { afterEach, expect, test } from 'vitest'
import { type GatewayWorld, gatewayWorld, type HeaderInit } from './gateway-world.ts'

let world: GatewayWorld | undefined
afterEach(() => world?.close())

interface Service {
  readonly name: string
  readonly hosts?: readonly string[]
  readonly gateways?: readonly string[]
  readonly created?: string
  readonly http: readonly unknown[]
}

const to = (host: string) => [{ destination: { host } }]
const uri = (match: object) => [{ uri: match }]

/** A gateway whose upstream answers for any destination; `at` tells which one a request was sent to, and as what. */
async function open(services: readonly Service[], more: string = '', mode: 'native' | 'istio' = 'native') {
  const documents = services.map(({ name, hosts = ['*'], gateways = ['edge'], created, http }) =>
    JSON.stringify({
      apiVersion: 'networking.istio.io/v1',
      kind: 'VirtualService',
      metadata: { name, namespace: 'apps', ...(created ? { creationTimestamp: created } : {}) },
      spec: { hosts, gateways, http },
    }),
  )
  let last = ''
  const gateway = await gatewayWorld({
    yaml: [...documents, ...(more === '' ? [] : [more])].join('\n---\n'),
    mode,
    resolveUpstream: (host): { kind: 'origin'; origin: string } => {
      last = host
      return { kind: 'origin', origin: `http://127.0.0.1:${gateway.upstreamPort}` }
    },
  })
  world = gateway
  return {
    ...gateway,
    async at(path: string, { method = 'GET', headers = {} }: { method?: string; headers?: HeaderInit } = {}) {
      last = ''
      const { status } = await gateway.send(method, path, headers)
      return status === 200 ? `${last} ${gateway.seen.at(-1)?.url}` : status
    },
  }
}

test('exact, prefix and regular expression choose the route, the first that matches', async () => {
  const { at } = await open([
    {
      name: 'a',
      http: [
        { match: uri({ exact: '/a' }), route: to('exact') },
        { match: uri({ prefix: '/a/' }), route: to('prefix') },
        { match: uri({ regex: '/[0-9]+/x' }), route: to('regex') },
        { match: uri({ prefix: '/a/later' }), route: to('never') },
      ],
    },
  ])
  expect(await at('/a?q')).toBe('exact /a?q')
  expect(await at('/a/later')).toBe('prefix /a/later')
  expect(await at('/12/x')).toBe('regex /12/x')
  expect(await at('/12/xy')).toBe(404)
  expect(await at('/A')).toBe(404)
})

test('a prefix is a plain text prefix', async () => {
  const { at } = await open([{ name: 'a', http: [{ match: uri({ prefix: '/pipeline' }), route: to('pipeline') }] }])
  expect(await at('/pipelinefoo')).toBe('pipeline /pipelinefoo')
})

test('a catch-all never shadows what comes after it', async () => {
  const { at } = await open([
    { name: 'dashboard', http: [{ match: uri({ prefix: '/' }), route: to('dashboard') }] },
    { name: 'jupyter', http: [{ match: uri({ prefix: '/jupyter/' }), route: to('jupyter') }] },
    { name: 'zz-all', http: [{ route: to('unreached') }] },
  ])
  expect(await at('/jupyter/x')).toBe('jupyter /jupyter/x')
  expect(await at('/other')).toBe('dashboard /other')
})

test('older resources come first, then names', async () => {
  const services = (createdA: string, createdB: string): Service[] => [
    { name: 'a', created: createdA, http: [{ match: uri({ prefix: '/x' }), route: to('a') }] },
    { name: 'b', created: createdB, http: [{ match: uri({ prefix: '/x' }), route: to('b') }] },
  ]
  const first = await open(services('2025-01-02T00:00:00Z', '2025-01-01T00:00:00Z'))
  expect(await first.at('/x')).toBe('b /x')
  await world?.close()
  const second = await open(services('2025-01-01T00:00:00Z', '2025-01-01T00:00:00Z'))
  expect(await second.at('/x')).toBe('a /x')
})

test('hosts: exact before the longest wildcard before any; the port and case do not matter', async () => {
  const service = (name: string, host: string): Service => ({ name, hosts: [host], http: [{ route: to(name) }] })
  const { at } = await open([
    service('any', '*'),
    service('wild', '*.example.com'),
    service('wilder', '*.apps.example.com'),
    service('exact', 'x.apps.example.com'),
  ])
  const on = (host: string) => at('/', { headers: { host } })
  expect(await on('x.apps.example.com')).toBe('exact /')
  expect(await on('X.Apps.Example.com:8443')).toBe('exact /')
  expect(await on('y.apps.example.com')).toBe('wilder /')
  expect(await on('y.example.com')).toBe('wild /')
  expect(await on('example.com')).toBe('any /')
})

test('an exact host whose routes do not match is 404, not the next host’s', async () => {
  const { at } = await open([
    { name: 'any', http: [{ route: to('any') }] },
    { name: 'one', hosts: ['one.example.com'], http: [{ match: uri({ prefix: '/x' }), route: to('one') }] },
  ])
  expect(await at('/y', { headers: { host: 'one.example.com' } })).toBe(404)
})

test('every condition of a match must hold', async () => {
  const match = [
    {
      uri: { prefix: '/x' },
      method: { exact: 'POST' },
      headers: { 'X-Tier': { prefix: 'gold' }, 'x-there': {} },
      withoutHeaders: { 'x-old': {} },
      queryParams: { v: { exact: '2' } },
      authority: { regex: '.*\\.example\\.com' },
    },
  ]
  const { at } = await open([{ name: 'a', http: [{ match, route: to('a') }] }])
  const good = { 'x-tier': 'golden', 'x-there': '' }
  expect(await at('/x?v=2', { method: 'POST', headers: good })).toBe('a /x?v=2')
  expect(await at('/x?v=2', { headers: good })).toBe(404)
  expect(await at('/x?v=3', { method: 'POST', headers: good })).toBe(404)
  expect(await at('/x?v=2', { method: 'POST', headers: { ...good, 'x-tier': 'iron' } })).toBe(404)
  expect(await at('/x?v=2', { method: 'POST', headers: { 'x-tier': 'gold' } })).toBe(404)
  expect(await at('/x?v=2', { method: 'POST', headers: { ...good, 'x-old': '1' } })).toBe(404)
  expect(await at('/x?v=2', { method: 'POST', headers: { ...good, host: 'other.org' } })).toBe(404)
})

test('a rewrite replaces the matched prefix, the whole exact path, or what a pattern finds', async () => {
  const { at, seen } = await open([
    {
      name: 'a',
      http: [
        { match: uri({ prefix: '/app/' }), rewrite: { uri: '/', authority: 'inner.example' }, route: to('a') },
        { match: uri({ exact: '/old' }), rewrite: { uri: '/new' }, route: to('a') },
        {
          match: uri({ prefix: '/re/' }),
          rewrite: { uriRegexRewrite: { match: '^/re/([^/]+)/(.*)$', rewrite: '/\\2/\\1$' } },
          route: to('a'),
        },
      ],
    },
  ])
  expect(await at('/app/x/y?q=1')).toBe('a /x/y?q=1')
  expect(seen.at(-1)?.headers.host).toBe('inner.example')
  expect(await at('/old')).toBe('a /new')
  expect(await at('/re/one/two')).toBe('a /two/one$')
})

test('headers are set, added and removed in both directions', async () => {
  const headers = {
    request: { set: { 'X-Set': 'new' }, add: { 'x-add': '2' }, remove: ['x-gone'] },
    response: { set: { 'x-by': 'gateway' } },
  }
  const { send, seen } = await open([{ name: 'a', http: [{ headers, route: to('a') }] }])
  const reply = await send('GET', '/', { 'x-set': 'old', 'x-add': '1', 'x-gone': '1' })
  expect(seen[0]?.headers).toMatchObject({ 'x-set': 'new', 'x-add': '1, 2' })
  expect(seen[0]?.headers).not.toHaveProperty('x-gone')
  expect(reply.headers['x-by']).toBe('gateway')
})

test('a redirect names only the path unless told, and in istio mode the whole URL', async () => {
  const http = [
    { match: uri({ exact: '/a' }), redirect: { uri: '/b/' } },
    { match: uri({ exact: '/c' }), redirect: { authority: 'other.example', scheme: 'https', redirectCode: 308 } },
  ]
  const native = await open([{ name: 'a', http }])
  const first = await native.send('GET', '/a')
  expect([first.status, first.headers.location]).toEqual([301, '/b/'])
  const second = await native.send('GET', '/c?q')
  expect([second.status, second.headers.location]).toEqual([308, 'https://other.example/c?q'])
  await world?.close()
  const istio = await open([{ name: 'a', http }], '', 'istio')
  expect((await istio.send('GET', '/a')).headers.location).toBe('http://platform.example.com/b/')
})

test('a route may answer itself', async () => {
  const directResponse = { status: 418, body: { string: 'teapot' } }
  const { send } = await open([{ name: 'a', http: [{ directResponse }] }])
  expect(await send('GET', '/')).toMatchObject({ status: 418, body: 'teapot' })
})

test('weights share the requests out', async () => {
  const route = [
    { destination: { host: 'none' }, weight: 0 },
    { destination: { host: 'one' }, weight: 50 },
    { destination: { host: 'two' }, weight: 50 },
  ]
  const { at } = await open([{ name: 'a', http: [{ route }] }])
  const hosts = new Set<unknown>()
  for (let round = 0; round < 40; round += 1) hosts.add(await at('/'))
  expect([...hosts].sort()).toEqual(['one /', 'two /'])
})

test('a route that times out is 504', async () => {
  world = await gatewayWorld({
    yaml: JSON.stringify({
      apiVersion: 'networking.istio.io/v1',
      kind: 'VirtualService',
      metadata: { name: 'a' },
      spec: { hosts: ['*'], http: [{ timeout: '10ms', route: to('a') }] },
    }),
    upstream: () => {},
  })
  expect(await world.send('GET', '/')).toMatchObject({ status: 504, body: 'upstream request timeout' })
})

test('no route is 404 with an empty body', async () => {
  const { send } = await open([{ name: 'a', http: [{ match: uri({ prefix: '/x' }), route: to('a') }] }])
  expect(await send('GET', '/y')).toMatchObject({ status: 404, body: '' })
})

const ingress = (name: string, hosts: string[], selector: object = { istio: 'ingressgateway' }) =>
  JSON.stringify({
    apiVersion: 'networking.istio.io/v1',
    kind: 'Gateway',
    metadata: { name, namespace: 'apps' },
    spec: { selector, servers: [{ port: { number: 80 }, hosts }] },
  })

test('a Gateway narrows the hosts of the services bound to it', async () => {
  const bound = { name: 'a', http: [{ route: to('a') }] }
  const { at } = await open([bound], ingress('edge', ['apps/one.example.com']))
  expect(await at('/', { headers: { host: 'one.example.com' } })).toBe('a /')
  expect(await at('/', { headers: { host: 'two.example.com' } })).toBe(404)
})

test('a service bound to a Gateway of other pods does not exist here', async () => {
  const { at } = await open([{ name: 'a', http: [{ route: to('a') }] }], ingress('edge', ['*'], { istio: 'other' }))
  expect(await at('/')).toBe(404)
})

test('a service without gateways is for sidecars only in istio mode', async () => {
  const service = { name: 'a', gateways: [], http: [{ route: to('a') }] }
  expect(await (await open([service])).at('/')).toBe('a /')
  await world?.close()
  expect(await (await open([service], '', 'istio')).at('/')).toBe(404)
})

test('a thousand routes find their way', async () => {
  const http = Array.from({ length: 1000 }, (_, index) => ({
    match: uri({ prefix: `/app-${index}/` }),
    route: to(`app-${index}`),
  }))
  const { at } = await open([{ name: 'a', http }])
  expect(await at('/app-999/x')).toBe('app-999 /app-999/x')
  expect(await at('/app-0/x')).toBe('app-0 /app-0/x')
  expect(await at('/app-1000/x')).toBe(404)
})
