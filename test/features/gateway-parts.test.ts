import { afterEach, describe, expect, test } from 'vitest'
import type { Part, RequestContext } from '../../src/http/part.ts'
import { catchAllRoute, dexIssuer, type GatewayWorld, gatewayWorld, mint, stockPolicies } from './gateway-world.ts'

let world: GatewayWorld | undefined
afterEach(() => world?.close())

/** A part that tells what it was given. */
const teller: Part & { contexts: RequestContext[] } = {
  contexts: [],
  async fetch(request, context) {
    if (context) this.contexts.push(context)
    const headers = Object.fromEntries(request.headers)
    return Response.json(
      { method: request.method, url: request.url, headers, body: await request.text() },
      {
        headers: [
          ['set-cookie', 'part=1'],
          ['x-part', 'yes'],
        ],
      },
    )
  },
}

const token = await mint({ iss: dexIssuer, sub: 's', email: 'ada@example.com' })
const ownCookies = (name: string) => name === 'ours'

test('a part gets the path, headers and body that were judged, and knows the request', async () => {
  world = await gatewayWorld({
    yaml: stockPolicies(),
    resolveUpstream: () => ({ kind: 'part', part: teller }),
    ownCookies,
  })
  const headers = {
    authorization: `Bearer ${token}`,
    'kubeflow-userid': 'evil',
    cookie: 'ours=1; a=2',
    'x-Mixed': 'Kept',
  }
  const reply = await world.send('POST', '/a/../b%2Fc?q=1', headers, 'the body')
  expect(JSON.parse(reply.body)).toMatchObject({
    method: 'POST',
    url: 'http://platform.example.com/b%2Fc?q=1',
    headers: { 'kubeflow-userid': 'ada@example.com', cookie: 'ours=1; a=2', 'x-mixed': 'Kept' },
    body: 'the body',
  })
  expect(reply.body).not.toContain('evil')
  expect(teller.contexts.at(-1)).toEqual({
    requestId: JSON.parse(reply.body).headers['x-request-id'],
    clientAddress: '127.0.0.1',
  })
})

test('an answer a part knows already is sent as it is, with what the route adds', async () => {
  const part: Part = {
    fetch: () => new Response('asked'),
    recall: ({ target, header }) =>
      target === '/known?q' ? { status: 202, headers: ['x-said', header('cookie') ?? ''], body: 'known' } : undefined,
  }
  const yaml = catchAllRoute.replace('- route:', '- headers: { response: { set: { x-route: "yes" } } }\n      route:')
  world = await gatewayWorld({ yaml, resolveUpstream: () => ({ kind: 'part', part }) })
  const known = await world.send('GET', '/known?q', { cookie: 'a=1' })
  expect([known.status, known.body]).toEqual([202, 'known'])
  expect(known.headers).toMatchObject({ 'x-said': 'a=1', 'x-route': 'yes', 'content-length': '5' })
  expect((await world.send('HEAD', '/known?q')).body).toBe('')
  expect((await world.send('GET', '/other')).body).toBe('asked')
})

test('a part that is an app does not see our cookies', async () => {
  const resolveUpstream = () => ({ kind: 'part', part: teller, hidesOwnCookies: true }) as const
  world = await gatewayWorld({ yaml: catchAllRoute, resolveUpstream, ownCookies })
  const reply = await world.send('GET', '/', { cookie: 'ours=1; a=2' })
  expect(JSON.parse(reply.body).headers.cookie).toBe('a=2')
})

test('what a provider or a route adds to the answer is added to a part’s own', async () => {
  const route = {
    apiVersion: 'networking.istio.io/v1',
    kind: 'VirtualService',
    metadata: { name: 'a' },
    spec: {
      hosts: ['*'],
      http: [
        {
          headers: { response: { set: { 'x-route': '1' }, remove: ['x-part'] } },
          route: [{ destination: { host: 'a' } }],
        },
      ],
    },
  }
  const custom = {
    apiVersion: 'security.istio.io/v1',
    kind: 'AuthorizationPolicy',
    metadata: { name: 'ask', namespace: 'istio-system' },
    spec: { action: 'CUSTOM', provider: { name: 'oauth2-proxy' }, rules: [{}] },
  }
  world = await gatewayWorld({
    yaml: [route, custom].map((one) => JSON.stringify(one)).join('\n---\n'),
    ask: () => ({ status: 200, headers: ['set-cookie', 'session=new'], body: '' }),
    resolveUpstream: () => ({ kind: 'part', part: teller }),
  })
  const reply = await world.send('GET', '/')
  expect(reply.headers).toMatchObject({ 'set-cookie': ['part=1', 'session=new'], 'x-route': '1' })
  expect(reply.headers).not.toHaveProperty('x-part')
})

test('a part that fails is 500 and the gateway serves on', async () => {
  let requests = 0
  const failing: Part = {
    fetch() {
      requests += 1
      if (requests === 1) throw new Error('broken')
      return new Response('fine')
    },
  }
  world = await gatewayWorld({ yaml: catchAllRoute, resolveUpstream: () => ({ kind: 'part', part: failing }) })
  expect((await world.send('GET', '/')).status).toBe(500)
  expect(await world.send('GET', '/')).toMatchObject({ status: 200, body: 'fine' })
})

describe('a refusal for people', () => {
  const html = { accept: 'text/html,application/xhtml+xml' }

  test('is a page with the request id, of the same status', async () => {
    world = await gatewayWorld({ yaml: stockPolicies(), assetsPath: '/gatehouse/static' })
    const reply = await world.send('GET', '/', html)
    expect(reply.status).toBe(403)
    expect(reply.headers['content-type']).toBe('text/html; charset=utf-8')
    expect(reply.headers['content-security-policy']).toContain("default-src 'none'")
    expect(reply.body).toContain(String(reply.headers['x-request-id']))
    expect(reply.body).toContain('Access denied')
    const refused = await world.send('GET', '/', { ...html, authorization: 'Bearer junk' })
    expect(refused.status).toBe(401)
    expect(refused.headers['www-authenticate']).toContain('error="invalid_token"')
    expect(refused.body).toContain('Your sign-in is not valid')
  })

  test('is Envoy’s text for programs, and for everybody in istio mode', async () => {
    world = await gatewayWorld({ yaml: stockPolicies(), assetsPath: '/gatehouse/static' })
    expect((await world.send('GET', '/', { accept: '*/*' })).body).toBe('RBAC: access denied')
    await world.close()
    world = await gatewayWorld({ yaml: stockPolicies(), assetsPath: '/gatehouse/static', mode: 'istio' })
    const reply = await world.send('GET', '/', html)
    expect([reply.body, reply.headers['content-type']]).toEqual(['RBAC: access denied', 'text/plain'])
  })
})
