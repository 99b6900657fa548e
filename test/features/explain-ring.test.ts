import { afterEach, expect, test } from 'vitest'
import { openDecisionRing } from '../../src/gateway/decision-ring.ts'
import { testClock } from '../world/clock.ts'
import { dexIssuer, type GatewayWorld, gatewayWorld, mint, stockPolicies } from './gateway-world.ts'

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
