import { createServer, type IncomingMessage, type RequestListener } from 'node:http'
import { afterEach, describe, expect, test } from 'vitest'
import type { Ask, AskAnswer } from '../../src/gateway/ask.ts'
import { catchAllRoute, type GatewayWorld, gatewayWorld, listen, stop } from './gateway-world.ts'

const closers: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const close of closers.splice(0)) await close()
})

const askAll = (provider = 'auth', name = 'ask') => `
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: { name: ${name}, namespace: istio-system }
spec: { action: CUSTOM, provider: { name: ${provider} }, rules: [{}] }
---
${catchAllRoute}`

const meshConfig = (fields: object, name = 'auth') =>
  JSON.stringify({
    extensionProviders: [{ name, envoyExtAuthzHttp: { service: 'auth.example.com', port: 9000, ...fields } }],
  })

/** A gateway that asks an HTTP server; `asked` are the requests that server got. */
async function overHttp(fields: object, answer: RequestListener) {
  const asked: IncomingMessage[] = []
  const server = createServer((request, response) => {
    asked.push(request)
    answer(request, response)
  })
  const port = await listen(server)
  const world: GatewayWorld = await gatewayWorld({
    yaml: `${askAll()}\n---\n${meshConfig(fields)}`,
    resolveUpstream: (host) => ({
      kind: 'origin',
      origin: `http://127.0.0.1:${host === 'auth.example.com' ? port : world.upstreamPort}`,
    }),
  })
  closers.push(
    () => world.close(),
    () => stop(server),
  )
  return { world, asked }
}

async function inProcess(fields: object, ask: Ask) {
  const yaml = `${askAll('oauth2-proxy')}\n---\n${meshConfig(fields, 'oauth2-proxy')}`
  const world = await gatewayWorld({ yaml, ask })
  closers.push(() => world.close())
  return world
}

const answer = (status: number, headers: readonly string[] = [], body = ''): AskAnswer => ({ status, headers, body })

describe('a provider on the network', () => {
  test('is asked with the same method, path and host, the headers of its list and no body', async () => {
    const fields = {
      pathPrefix: '/check',
      includeRequestHeadersInCheck: ['cookie', 'X-Tenant-*'],
      includeAdditionalHeadersInCheck: { 'X-Gateway': 'edge' },
    }
    const { world, asked } = await overHttp(fields, (_, response) => response.end())
    const headers = { authorization: 'Bearer t', cookie: 'a=1', 'x-tenant-id': '7', 'x-other': '1' }
    expect(await world.send('POST', '/a/../b?q=1', headers, 'body')).toMatchObject({ status: 200 })
    expect(asked[0]?.method).toBe('POST')
    expect(asked[0]?.url).toBe('/check/b?q=1')
    const { host, authorization, cookie, ...rest } = asked[0]?.headers ?? {}
    expect({ host, authorization, cookie }).toEqual({
      host: 'platform.example.com',
      authorization: 'Bearer t',
      cookie: 'a=1',
    })
    expect(rest).toMatchObject({ 'x-tenant-id': '7', 'x-gateway': 'edge', 'content-length': '0' })
    expect(rest).not.toHaveProperty('x-other')
    expect(world.seen[0]?.body).toBe('body')
  })

  test('its refusal is the answer, with every cookie and redirect', async () => {
    const { world } = await overHttp({ headersToDownstreamOnDeny: ['set-cookie'] }, (_, response) => {
      response.writeHead(302, ['Location', '/login', 'Set-Cookie', 'a=1', 'Set-Cookie', 'b=2', 'X-Inner', '1'])
      response.end('found')
    })
    const reply = await world.send('GET', '/')
    expect(reply).toMatchObject({ status: 302, body: 'found' })
    expect(reply.headers).toMatchObject({ location: '/login', 'set-cookie': ['a=1', 'b=2'] })
    expect(reply.headers).not.toHaveProperty('x-inner')
    expect(world.seen).toEqual([])
  })

  test('without a list every header of a refusal is relayed', async () => {
    const { world } = await overHttp({}, (_, response) => response.writeHead(401, { 'x-inner': '1' }).end())
    const reply = await world.send('GET', '/')
    expect([reply.status, reply.headers['x-inner']]).toEqual([401, '1'])
  })

  test('when it cannot be reached the request is refused', async () => {
    const yaml = `${askAll()}\n---\n${meshConfig({})}`
    const world = await gatewayWorld({
      yaml,
      resolveUpstream: () => ({ kind: 'origin', origin: 'http://127.0.0.1:1' }),
    })
    closers.push(() => world.close())
    expect(await world.send('GET', '/')).toMatchObject({ status: 403, body: '' })
  })

  test('when it takes too long the request is refused', async () => {
    const { world } = await overHttp({ timeout: '20ms', statusOnError: 503 }, () => {})
    expect(await world.send('GET', '/')).toMatchObject({ status: 503, body: '' })
  })
})

describe('an answer', () => {
  test('of 200 sets the headers of the list on the request, over those of the client', async () => {
    const world = await inProcess({ headersToUpstreamOnAllow: ['x-user', 'x-role-*'] }, () =>
      answer(200, ['X-User', 'ada', 'x-role-a', 'admin', 'x-more', '1']),
    )
    await world.send('GET', '/', { 'x-user': 'evil', X_User: 'evil', 'x-more': 'mine' })
    const { headers, rawHeaders } = world.seen[0] ?? { headers: {}, rawHeaders: [] }
    expect(headers).toMatchObject({ 'x-user': 'ada', 'x-role-a': 'admin', 'x-more': 'mine' })
    expect(rawHeaders).not.toContain('evil')
  })

  test('of 200 may remove headers and add some to the response', async () => {
    const world = await inProcess({ headersToDownstreamOnAllow: ['set-cookie'] }, () =>
      answer(200, ['x-envoy-auth-headers-to-remove', 'X-Drop, host', 'set-cookie', 'a=1', 'set-cookie', 'b=2']),
    )
    const reply = await world.send('GET', '/', { 'x-drop': '1' })
    expect(world.seen[0]?.headers).not.toHaveProperty('x-drop')
    expect(world.seen[0]?.headers.host).toBe('platform.example.com')
    expect(reply.headers['set-cookie']).toEqual(['a=1', 'b=2'])
  })

  test.each([201, 204, 302, 400, 401, 403])('of %i refuses', async (status) => {
    const world = await inProcess({}, () => answer(status, [], ''))
    expect((await world.send('GET', '/')).status).toBe(status)
    expect(world.seen).toEqual([])
  })

  test('of 5xx or a failure refuses with the configured status', async () => {
    for (const ask of [
      () => answer(502),
      () => Promise.reject(new Error('down')),
      () => {
        throw new Error('down')
      },
    ]) {
      const world = await inProcess({ statusOnError: 500 }, ask)
      expect(await world.send('GET', '/')).toMatchObject({ status: 500, body: '' })
      expect(world.seen).toEqual([])
    }
  })

  test('of 5xx passes only where the provider may fail open', async () => {
    const world = await inProcess({ failOpen: true }, () => answer(500))
    expect(await world.send('GET', '/')).toMatchObject({ status: 200 })
  })

  test('that comes late is waited for', async () => {
    const world = await inProcess({}, async () => answer(200))
    expect(await world.send('GET', '/')).toMatchObject({ status: 200 })
  })
})

test('natively several providers must all allow, in the order of their names', async () => {
  const order: string[] = []
  const second = `
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: { name: second, namespace: istio-system }
spec: { action: CUSTOM, provider: { name: a-first }, rules: [{}] }`
  const yaml = `${askAll('oauth2-proxy')}\n---\n${second}\n---\n${meshConfig({}, 'a-first')}`
  let status = 200
  const world = await gatewayWorld({
    yaml,
    ask: () => {
      order.push('oauth2-proxy')
      return answer(200)
    },
    resolveUpstream: (host) => {
      if (host === 'auth.example.com') order.push('a-first')
      return { kind: 'origin', origin: `http://127.0.0.1:${host === 'auth.example.com' ? port : world.upstreamPort}` }
    },
  })
  const server = createServer((_, response) => response.writeHead(status).end())
  const port = await listen(server)
  closers.push(
    () => world.close(),
    () => stop(server),
  )
  expect((await world.send('GET', '/')).status).toBe(200)
  expect(order).toEqual(['a-first', 'oauth2-proxy'])
  status = 403
  expect((await world.send('GET', '/')).status).toBe(403)
})
