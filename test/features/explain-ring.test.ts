import { afterEach, expect, test } from 'vitest'
import { openDecisionRing } from '../../src/gateway/decision-ring.ts'
import type { Part } from '../../src/http/part.ts'
import { silentLog } from '../../src/kit/log.ts'
import { testClock } from '../world/clock.ts'
import { catchAllRoute, dexIssuer, type GatewayWorld, gatewayWorld, mint, stockPolicies } from './gateway-world.ts'

let world: GatewayWorld | undefined
afterEach(() => world?.close())

const refuse = () => ({ status: 403, headers: [], body: 'sign in' })

test('the last refusals are kept, the oldest forgotten first; what passes is not', async () => {
  const ring = openDecisionRing({ size: 3, clock: testClock() })
  world = await gatewayWorld({ yaml: stockPolicies(), ask: refuse, observer: ring.observer })
  const ids: unknown[] = []
  for (const path of ['/a', '/b', '/dex/free', '/c', '/d', '/e', '/f', '/g']) {
    const { headers, status } = await world.send('GET', path)
    if (status === 403) ids.push(headers['x-request-id'])
  }
  expect(ids.length).toBe(7)
  expect(ring.list().map(({ requestId }) => requestId)).toEqual(ids.slice(-3))
  expect(ring.takeNew().map(({ path }) => path)).toEqual(['/e', '/f', '/g'])
  expect(ring.takeNew()).toEqual([])
})

test('a refused token is kept by whom it names; a verified one that is denied, too', async () => {
  const ring = openDecisionRing({ clock: testClock() })
  const deny = `${stockPolicies()}
---
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: { name: no, namespace: istio-system }
spec: { action: DENY, rules: [{ to: [{ operation: { paths: [/no] } }] }] }
`
  world = await gatewayWorld({ yaml: deny, observer: ring.observer })
  const claims = { iss: dexIssuer, sub: 'ada', email: 'ada@example.com', groups: ['a'], secret: 'never' }
  const send = (path: string, token: string) => world?.send('GET', path, { authorization: `Bearer ${token}` })
  await send('/', await mint({ ...claims, exp: 1 }))
  await send('/no', await mint({ ...claims, exp: 4e9 }))
  const [expired, denied] = ring.list()
  expect(expired).toMatchObject({
    status: 401,
    authorization: 'Bearer',
    hasCookies: false,
    cause: { kind: 'token', text: 'Jwt is expired' },
    identity: { isVerified: false, claims: { email: 'ada@example.com', groups: ['a'], exp: 1 } },
    route: { service: 'kubeflow/app' },
  })
  expect(denied).toMatchObject({
    status: 403,
    cause: { kind: 'policy', rule: 'ns[istio-system]-policy[no]-rule[0]' },
    identity: { isVerified: true, claims: { sub: 'ada' } },
  })
  expect(JSON.stringify(ring.list())).not.toContain('never')
})

test('a redirect to the sign-in tells no id, so it is not kept', async () => {
  const ring = openDecisionRing({ clock: testClock() })
  const ask = () => ({ status: 302, headers: ['location', '/login'], body: '' })
  world = await gatewayWorld({ yaml: stockPolicies(), ask, observer: ring.observer })
  expect((await world.send('GET', '/')).status).toBe(302)
  expect(ring.list()).toEqual([])
})

/** The causes kept of these requests, each a `GET` with a good token. */
async function causesOf(
  yaml: string,
  paths: readonly string[],
  options: Partial<Parameters<typeof gatewayWorld>[0]> = {},
) {
  const ring = openDecisionRing({ clock: testClock() })
  world = await gatewayWorld({ yaml, observer: ring.observer, ...options })
  const authorization = `Bearer ${await mint({ iss: dexIssuer, sub: 'ada', exp: 4e9 })}`
  const ids: unknown[] = []
  for (const path of paths) ids.push((await world.send('GET', path, { authorization })).headers['x-request-id'])
  expect(ring.list().map(({ requestId }) => requestId)).toEqual(ids)
  return ring.list().map(({ status, cause }) => ({ status, cause }))
}

const ownAnswers = `
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: { name: app, namespace: kubeflow }
spec:
  hosts: ['*']
  http:
    - { match: [{ uri: { prefix: /closed } }], directResponse: { status: 403, body: { string: closed } } }
    - match: [{ uri: { prefix: /broken } }]
      fault: { abort: { httpStatus: 401, percentage: { value: 100 } } }
      route: [{ destination: { host: app } }]
    - { match: [{ uri: { prefix: /down } }], route: [{ destination: { host: app } }] }
`

test('what the gateway answers itself after the policies is kept, too: routes, faults, an app that is down', async () => {
  const resolveUpstream = () => ({ kind: 'origin', origin: 'http://127.0.0.1:1' }) as const
  const causes = await causesOf(ownAnswers, ['/closed', '/broken', '/down', '/nowhere', '/%00'], { resolveUpstream })
  expect(causes).toEqual([
    { status: 403, cause: { kind: 'gateway', reason: 'the route answers itself (directResponse)' } },
    { status: 401, cause: { kind: 'gateway', reason: 'the route breaks it on purpose (fault)' } },
    {
      status: 503,
      cause: {
        kind: 'gateway',
        reason: expect.stringContaining('http://127.0.0.1:1: upstream connect error'),
      },
    },
    { status: 404, cause: { kind: 'gateway', reason: 'no route leads anywhere' } },
    { status: 400, cause: { kind: 'gateway', reason: 'the request is malformed' } },
  ])
})

test('people read a page with the request id where an app is down, programs the words of Envoy', async () => {
  const resolveUpstream = () => ({ kind: 'origin', origin: 'http://127.0.0.1:1' }) as const
  world = await gatewayWorld({ yaml: ownAnswers, resolveUpstream, assetsPath: '/static' })
  const page = await world.send('GET', '/down', { accept: 'text/html' })
  expect(page.status).toBe(503)
  expect(page.body).toContain('This app does not answer')
  expect(page.body).toContain(String(page.headers['x-request-id']))
  expect((await world.send('GET', '/down')).body).toMatch(/^upstream connect error/)
  expect((await world.send('GET', '/nowhere', { accept: 'text/html' })).body).toContain('Page not found')
})

test('a refusal of a part is kept with what the part said of it in its log, and tells its id', async () => {
  const ring = openDecisionRing({ clock: testClock() })
  const log = ring.overhear(silentLog).with({ part: 'broker' })
  const part: Part = {
    fetch(request, context) {
      if (request.url.endsWith('/fine')) return new Response('fine')
      log.info('sign-in refused', {
        requestId: context?.requestId,
        reason: 'not in a group',
        detail: 'team-a',
        token: 't',
      })
      return new Response('no', { status: 403 })
    },
  }
  const resolveUpstream = () => ({ kind: 'part', part, name: 'broker' }) as const
  world = await gatewayWorld({ yaml: catchAllRoute, resolveUpstream, observer: ring.observer })
  await world.send('GET', '/fine')
  const { headers } = await world.send('GET', '/dex/callback?code=x')
  expect(ring.list()).toMatchObject([
    {
      requestId: headers['x-request-id'],
      status: 403,
      target: '/dex/callback?code=…',
      cause: { kind: 'part', part: 'broker', reason: 'sign-in refused: not in a group: team-a' },
    },
  ])
})
