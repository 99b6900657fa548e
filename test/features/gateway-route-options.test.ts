import type { RequestListener } from 'node:http'
import { afterEach, describe, expect, test } from 'vitest'
import { type GatewayWorld, gatewayWorld, type HeaderInit, readBody, stockPolicies } from './gateway-world.ts'

let world: GatewayWorld | undefined
afterEach(() => world?.close())

interface Options {
  readonly more?: string
  readonly mode?: 'native' | 'istio'
  readonly upstream?: RequestListener
  readonly publicUrl?: string
}

const service = (name: string, spec: object) =>
  JSON.stringify({
    apiVersion: 'networking.istio.io/v1',
    kind: 'VirtualService',
    metadata: { name, namespace: 'apps' },
    spec,
  })
const to = (host: string) => [{ destination: { host } }]

/** A gateway with these routes; destinations called `down` refuse connections. `reached` are the others asked for. */
async function open(http: readonly object[], { more = '', ...options }: Options = {}) {
  const reached: string[] = []
  const gateway: GatewayWorld = await gatewayWorld({
    ...options,
    yaml: `${service('a', { hosts: ['*'], gateways: ['edge'], http })}\n---\n${more || 'kind: Nothing\napiVersion: v1'}`,
    resolveUpstream: (host) => {
      reached.push(host)
      return { kind: 'origin', origin: `http://127.0.0.1:${host === 'down' ? 1 : gateway.upstreamPort}` }
    },
  })
  world = gateway
  return { ...gateway, reached }
}

const preflight = { origin: 'https://app.example.com', 'access-control-request-method': 'PUT' }

describe('corsPolicy', () => {
  const corsPolicy = {
    allowOrigins: [{ exact: 'https://app.example.com' }, { regex: 'https://[a-z]+\\.lab\\.example\\.com' }],
    allowMethods: ['GET', 'PUT'],
    allowHeaders: ['x-xsrf-token'],
    exposeHeaders: ['x-total'],
    maxAge: '24h',
    allowCredentials: true,
  }
  const http = [{ corsPolicy, route: to('app') }]
  const answered = {
    'access-control-allow-origin': 'https://app.example.com',
    'access-control-allow-methods': 'GET,PUT',
    'access-control-allow-headers': 'x-xsrf-token',
    'access-control-allow-credentials': 'true',
    'access-control-max-age': '86400',
  }

  test('answers preflights of allowed origins itself', async () => {
    const { send, seen } = await open(http)
    const reply = await send('OPTIONS', '/', preflight)
    expect(reply).toMatchObject({ status: 200, body: '', headers: answered })
    expect(seen).toEqual([])
  })

  test('leaves preflights of other origins to the app, unless told to ignore them', async () => {
    const foreign = { ...preflight, origin: 'https://evil.example' }
    const first = await open(http)
    expect(await first.send('OPTIONS', '/', foreign)).toMatchObject({ body: 'from the app' })
    await world?.close()
    const second = await open([{ corsPolicy: { ...corsPolicy, unmatchedPreflights: 'IGNORE' }, route: to('app') }])
    const { status, body, headers } = await second.send('OPTIONS', '/', foreign)
    expect([status, body]).toEqual([200, ''])
    expect(headers).not.toHaveProperty('access-control-allow-origin')
  })

  test('tells allowed origins on every answer, instead of what the app says', async () => {
    const { send } = await open(http, {
      upstream: (_, response) => response.writeHead(200, { 'Access-Control-Allow-Origin': '*' }).end(),
    })
    const allowed = await send('GET', '/', { origin: 'https://a.lab.example.com' })
    expect(allowed.headers).toMatchObject({
      'access-control-allow-origin': 'https://a.lab.example.com',
      'access-control-expose-headers': 'x-total',
      'access-control-allow-credentials': 'true',
    })
    expect(allowed.headers).not.toHaveProperty('access-control-allow-methods')
    const foreign = await send('GET', '/', { origin: 'https://evil.example' })
    expect(foreign.headers['access-control-allow-origin']).toBe('*')
  })

  const behindSignIn = (mode: 'native' | 'istio') => {
    const cors = service('cors', { hosts: ['cors.example.com'], gateways: ['edge'], http })
    return open([{ route: to('app') }], { more: `${stockPolicies()}\n---\n${cors}`, mode })
  }

  test('natively preflights of allowed origins need no sign-in, and nothing else passes with them', async () => {
    const { send, seen } = await behindSignIn('native')
    const host: HeaderInit = { host: 'cors.example.com' }
    expect(await send('OPTIONS', '/x', { ...preflight, ...host })).toMatchObject({ status: 200, headers: answered })
    expect((await send('OPTIONS', '/x', { ...preflight, ...host, origin: 'https://evil.example' })).status).toBe(403)
    expect((await send('OPTIONS', '/x', { ...host, origin: preflight.origin })).status).toBe(403)
    expect((await send('PUT', '/x', { ...preflight, ...host })).status).toBe(403)
    expect(seen).toEqual([])
  })

  test('in istio mode they are refused like anything else, since CORS comes after the policies', async () => {
    const { send } = await behindSignIn('istio')
    expect((await send('OPTIONS', '/x', { ...preflight, host: 'cors.example.com' })).status).toBe(403)
  })
})

describe('fault', () => {
  test('aborts with a status, in HTTP or gRPC', async () => {
    const abort = { httpStatus: 418, percentage: { value: 100 } }
    const grpc = { grpcStatus: 'UNAVAILABLE', percentage: { value: 100 } }
    const { send, seen } = await open([
      { match: [{ uri: { prefix: '/grpc' } }], fault: { abort: grpc }, route: to('app') },
      { fault: { abort, delay: { fixedDelay: '1ms', percentage: { value: 100 } } }, route: to('app') },
    ])
    expect(await send('GET', '/')).toMatchObject({ status: 418, body: 'fault filter abort' })
    const call = { 'content-type': 'application/grpc' }
    expect(await send('POST', '/grpc', call)).toMatchObject({ status: 200, headers: { 'grpc-status': '14' } })
    expect(await send('GET', '/grpc')).toMatchObject({ status: 200, body: 'fault filter abort' })
    expect(seen).toEqual([])
  })

  test('without a percentage nothing is broken', async () => {
    const { send } = await open([{ fault: { abort: { httpStatus: 500 } }, route: to('app') }])
    expect((await send('GET', '/')).status).toBe(200)
  })
})

describe('retries', () => {
  /** Answers with these statuses, one after the other; counts the requests. */
  function flaky(statuses: readonly number[]) {
    let count = 0
    const upstream: RequestListener = (_, response) => response.writeHead(statuses[count++] ?? 200).end('x')
    return { upstream, count: () => count }
  }

  test('an answer that counts as failed is asked for again, as often as told', async () => {
    const { upstream, count } = flaky([503, 502, 200])
    const { send } = await open([{ retries: { attempts: 3, retryOn: 'gateway-error' }, route: to('app') }], {
      upstream,
    })
    expect(await send('GET', '/')).toMatchObject({ status: 200, body: 'x' })
    expect(count()).toBe(3)
  })

  test('as often as told also where nothing says on what', async () => {
    const { reached, send } = await open([
      { match: [{ uri: { prefix: '/never' } }], retries: { attempts: 0 }, route: to('down') },
      { retries: { attempts: 4 }, route: to('down') },
    ])
    const [never, often] = [await send('GET', '/never'), await send('GET', '/')]
    expect(never.body).toMatch(/before headers\. reset reason: remote connection failure$/)
    expect(often.body).toMatch(/retried and the latest reset reason: remote connection failure$/)
    expect(reached).toEqual(['down', 'down'])
  })

  test('the last answer is given where no try succeeds', async () => {
    const { upstream, count } = flaky([500, 500, 500, 500])
    const { send } = await open([{ retries: { attempts: 1, retryOn: '5xx' }, route: to('app') }], { upstream })
    expect((await send('GET', '/')).status).toBe(500)
    expect(count()).toBe(2)
  })

  test('a status may be named', async () => {
    const { upstream } = flaky([429, 200])
    const { send } = await open([{ retries: { attempts: 1, retryOn: '429' }, route: to('app') }], { upstream })
    expect((await send('GET', '/')).status).toBe(200)
  })

  test('by default an answer is never asked for again', async () => {
    const { upstream, count } = flaky([503, 200])
    const { send } = await open([{ route: to('app') }], { upstream })
    expect((await send('GET', '/')).status).toBe(503)
    expect(count()).toBe(1)
  })

  test('a body is sent again with each try, as Envoy does', async () => {
    const bodies: string[] = []
    const upstream: RequestListener = (request, response) => {
      void readBody(request).then((body) => response.writeHead(bodies.push(body) < 3 ? 503 : 200).end('x'))
    }
    const { send } = await open([{ retries: { attempts: 2, retryOn: '5xx' }, route: to('app') }], { upstream })
    expect((await send('POST', '/', {}, 'pay 10')).status).toBe(200)
    expect(bodies).toEqual(['pay 10', 'pay 10', 'pay 10'])
  })

  test('a body of more than 1 MiB is sent once', async () => {
    const { upstream, count } = flaky([503, 200])
    const reading: RequestListener = (request, response) =>
      void readBody(request).then(() => upstream(request, response))
    const { send } = await open([{ retries: { attempts: 1, retryOn: '5xx' }, route: to('app') }], { upstream: reading })
    expect((await send('POST', '/', {}, 'x'.repeat(1024 * 1024 + 1))).status).toBe(503)
    expect(count()).toBe(1)
    expect((await send('POST', '/', {}, 'x'.repeat(1024 * 1024))).status).toBe(200)
  })

  test('a request with a body whose app is down is answered', async () => {
    const { send } = await open([{ route: to('down') }])
    const reply = await send('POST', '/', {}, 'x'.repeat(100_000))
    expect(reply).toMatchObject({ status: 503, body: expect.stringContaining('retried and the latest reset reason') })
  })

  test('a try that takes too long is given up for another', async () => {
    let count = 0
    const upstream: RequestListener = (_, response) => {
      count += 1
      if (count > 1) response.end('late')
    }
    const retries = { attempts: 1, perTryTimeout: '30ms', retryOn: '5xx' }
    const { send } = await open([{ retries, route: to('app') }], { upstream })
    expect(await send('GET', '/')).toMatchObject({ status: 200, body: 'late' })
  })

  test('an origin that refuses connections is tried again, then the client is told', async () => {
    const { send } = await open([{ retries: { attempts: 1 }, route: to('down') }])
    expect((await send('GET', '/')).status).toBe(503)
  })
})

describe('mirror', () => {
  test('sends a copy, marked as one, and gives the answer of the route', async () => {
    const copies: unknown[] = []
    let done = (): void => {}
    const arrived = new Promise<void>((resolve) => {
      done = resolve
    })
    const upstream: RequestListener = (request, response) => {
      const chunks: Buffer[] = []
      request.on('data', (chunk) => chunks.push(chunk))
      request.on('end', () => {
        const { host = '' } = request.headers
        response.end(host)
        copies.push([host, request.method, request.url, Buffer.concat(chunks).toString()])
        if (copies.length === 2) done()
      })
    }
    const { send } = await open([{ mirror: { host: 'shadow' }, route: to('app') }], { upstream })
    const reply = await send('POST', '/x?q', { host: 'a.example.com:8080' }, 'body')
    expect(reply.body).toBe('a.example.com:8080')
    await arrived
    expect(copies.toSorted()).toEqual([
      ['a.example.com-shadow:8080', 'POST', '/x?q', 'body'],
      ['a.example.com:8080', 'POST', '/x?q', 'body'],
    ])
  })

  test('sends none where the percentage is 0', async () => {
    const { send, reached } = await open([
      { mirror: { host: 'shadow' }, mirrorPercentage: { value: 0 }, route: to('app') },
    ])
    expect((await send('GET', '/')).status).toBe(200)
    expect(reached).toEqual(['app'])
  })
})

describe('delegate', () => {
  const delegate = (http: readonly object[], hosts?: readonly string[]) =>
    service('team', { http, ...(hosts ? { hosts } : {}) })

  test('its routes stand where it is named, under both matches', async () => {
    const more = delegate([
      { match: [{ uri: { exact: '/team/a' } }], route: to('a') },
      { match: [{ uri: { prefix: '/elsewhere' } }], route: to('never') },
      { match: [{ method: { exact: 'PUT' } }], rewrite: { uri: '/' }, route: to('b') },
    ])
    const { send, reached, seen } = await open(
      [
        {
          match: [{ uri: { prefix: '/team/' } }],
          delegate: { name: 'team' },
          headers: { request: { set: { 'x-root': '1' } } },
        },
        { route: to('rest') },
      ],
      { more },
    )
    await send('GET', '/team/a')
    await send('PUT', '/team/x')
    await send('GET', '/team/other')
    await send('GET', '/elsewhere')
    expect(reached).toEqual(['a', 'b', 'rest', 'rest'])
    expect(seen.map(({ url, headers }) => [url, headers['x-root']])).toEqual([
      ['/team/a', '1'],
      ['/x', '1'],
      ['/team/other', undefined],
      ['/elsewhere', undefined],
    ])
  })

  test('that has hosts of its own, or does not exist, routes nothing', async () => {
    const http = [{ delegate: { name: 'team' } }]
    const first = await open(http, { more: delegate([{ route: to('a') }], ['team.example.com']) })
    expect((await first.send('GET', '/')).status).toBe(404)
    await world?.close()
    const second = await open(http)
    expect((await second.send('GET', '/')).status).toBe(404)
  })
})

describe('redirects', () => {
  test('may change only the prefix, or keep the port', async () => {
    const { send, port } = await open([
      { match: [{ uri: { prefix: '/old/' } }], redirect: { prefixRewrite: '/new/' } },
      { redirect: { authority: 'b.example.com', derivePort: 'FROM_REQUEST_PORT', redirectCode: 308 } },
    ])
    expect((await send('GET', '/old/x?q')).headers.location).toBe('/new/x?q')
    const reply = await send('GET', '/')
    expect([reply.status, reply.headers.location]).toEqual([308, `http://b.example.com:${port}/`])
  })

  const gateway = `
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: { name: edge, namespace: apps }
spec:
  selector: { istio: ingressgateway }
  servers:
    - { hosts: ["*.example.com"], port: { number: 80, protocol: HTTP }, tls: { httpsRedirect: true } }
    - { hosts: ["*"], port: { number: 81, protocol: HTTP } }`

  test.each(['istio', 'native'] as const)('of a Gateway lead from HTTP to HTTPS (%s)', async (mode) => {
    const { send } = await open([{ route: to('app') }], { more: gateway, mode })
    const reply = await send('GET', '/a?b', { host: 'a.example.com' })
    expect([reply.status, reply.headers.location]).toEqual([301, 'https://a.example.com/a?b'])
    expect((await send('GET', '/', { host: 'plain.example.org' })).status).toBe(200)
  })

  test('natively nobody is sent away from an address that is plain HTTP itself', async () => {
    const { send } = await open([{ route: to('app') }], { more: gateway, publicUrl: 'http://a.example.com' })
    expect((await send('GET', '/', { host: 'a.example.com' })).status).toBe(200)
  })
})
