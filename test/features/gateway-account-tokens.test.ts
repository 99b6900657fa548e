import { afterEach, expect, test } from 'vitest'
import type { GatewayOptions } from '../../src/gateway/open-gateway.ts'
import { silentLog } from '../../src/kit/log.ts'
import type { AccountGate, GateVerdict } from '../../src/oidc/account-gate.ts'
import { namesOfClaims, openEndedSessions } from '../../src/oidc/ended-sessions.ts'
import { openSqlRecords } from '../../src/store/records.ts'
import { testClock } from '../world/clock.ts'
import { testDatabase } from '../world/database.ts'
import {
  catchAllRoute,
  dexIssuer,
  type GatewayWorld,
  gatewayWorld,
  kubeIssuer,
  mint,
  stockPolicies,
} from './gateway-world.ts'

let world: GatewayWorld
afterEach(() => world.close())

const clock = testClock()
const nowSeconds = clock.now() / 1000
const name = 'system:serviceaccount:team:default-editor'
const claims = { iss: kubeIssuer, sub: name, iat: nowSeconds - 10, exp: nowSeconds + 3600 }
const account: GateVerdict = {
  kind: 'account',
  name,
  groups: ['system:serviceaccounts', 'system:serviceaccounts:team'],
  until: clock.now() + 60_000,
}

/** Says the same of every token, and how often it was asked. */
function cluster(verdict: GateVerdict) {
  const asked: string[] = []
  const accounts: AccountGate = {
    async verify(token) {
      asked.push(token)
      return verdict
    },
    refresh: async () => true,
    issuerOfPeople: dexIssuer,
  }
  return { accounts, asked }
}

async function open(options: Partial<Omit<GatewayOptions, 'ask'>> & { yaml?: string }) {
  world = await gatewayWorld({ yaml: stockPolicies(), clock, ...options })
  return async (token: string, headers: Readonly<Record<string, string>> = {}) => {
    const { status, body } = await world.send('GET', '/', { authorization: `Bearer ${token}`, ...headers })
    return status === 200 ? world.seen.at(-1)?.headers : [status, body]
  }
}

test('apps are told of an account by the headers the rule for people sets, whatever else names its issuer', async () => {
  const { accounts } = cluster(account)
  const send = await open({ accounts })
  expect(await send(await mint(claims), { 'kubeflow-userid': 'admin', 'kubeflow-groups': 'admins' })).toMatchObject({
    'kubeflow-userid': name,
    'kubeflow-groups': 'system:serviceaccounts,system:serviceaccounts:team',
  })
})

test('a token that is believed is not asked about again until its time is over', async () => {
  const { accounts, asked } = cluster(account)
  const send = await open({ accounts })
  const token = await mint(claims)
  for (let round = 0; round < 3; round += 1) expect(await send(token)).toMatchObject({ 'kubeflow-userid': name })
  expect(asked).toHaveLength(1)
})

test('one that two rules look for in different places is one token all the same', async () => {
  const { accounts, asked } = cluster(account)
  const yaml = stockPolicies().replace(
    `jwksUri: http://cluster-jwks-proxy.istio-system.svc.cluster.local/openid/v1/jwks
      forwardOriginalToken: true
      fromHeaders: [{ name: Authorization, prefix: "Bearer " }]`,
    'forwardOriginalToken: true',
  )
  expect(yaml).not.toContain('cluster-jwks-proxy')
  const send = await open({ accounts, yaml })
  const token = await mint(claims)
  for (let round = 0; round < 3; round += 1) expect(await send(token)).toMatchObject({ 'kubeflow-userid': name })
  expect(asked).toHaveLength(1)
})

test('what is none of the cluster’s is judged by the rules, as if nobody had been asked', async () => {
  const { accounts, asked } = cluster({ kind: 'other', reason: undefined })
  const send = await open({ accounts })
  const person = await mint({ ...claims, iss: dexIssuer, sub: 'ada', email: 'ada@example.com' })
  for (let round = 0; round < 2; round += 1) {
    expect(await send(person)).toMatchObject({ 'kubeflow-userid': 'ada@example.com' })
  }
  expect(asked).toHaveLength(1)
  expect(await send(await mint(claims))).toMatchObject({ 'kubeflow-userid': name }) // the rule m2m-token-issuer
  expect(await send(await mint({ ...claims, iss: 'https://x.example' }))).toEqual([401, 'Jwt issuer is not configured'])
})

test('why an account’s token is none of ours is told where no rule knows more', async () => {
  const { accounts } = cluster({ kind: 'other', reason: 'audience-mismatch' })
  const send = await open({ accounts, yaml: stockPolicies({ hasKube: false }) })
  expect(await send(await mint(claims))).toEqual([403, 'Audiences in Jwt are not allowed'])
  expect(await send(await mint({ ...claims, iss: dexIssuer, exp: 1 }))).toEqual([401, 'Jwt is expired'])
})

test.each([
  ['account-gone', 401],
  ['account-barred', 403],
  ['accounts-unavailable', 503],
] as const)('one that is refused for good (%s) is not believed by a rule either', async (reason, status) => {
  const { accounts } = cluster({ kind: 'refused', reason })
  const send = await open({ accounts })
  expect(await send(await mint(claims))).toEqual([status, expect.any(String)])
})

test('one that has been ended is believed no more', async () => {
  const ended = openEndedSessions({ records: openSqlRecords(await testDatabase(), clock), clock, log: silentLog })
  const { accounts } = cluster(account)
  const send = await open({ accounts, ended })
  const token = await mint(claims)
  expect(await send(token)).toMatchObject({ 'kubeflow-userid': name })
  const { subject = '' } = namesOfClaims(claims)
  await ended.end({ names: [subject], upTo: clock.now() }, clock.now() + 3_600_000)
  expect(await send(token)).toEqual([401, "token's session has ended"])
})

test('a rule that does not forward tokens does not forward theirs', async () => {
  const { accounts } = cluster(account)
  const yaml = `${catchAllRoute}
---
apiVersion: security.istio.io/v1
kind: RequestAuthentication
metadata: { name: one, namespace: istio-system }
spec:
  jwtRules:
    - { issuer: "${dexIssuer}", outputClaimToHeaders: [{ header: x-user, claim: sub }, { header: x-who, claim: email }] }`
  const send = await open({ accounts, yaml })
  const seen = await send(await mint(claims))
  expect(seen).toMatchObject({ 'x-user': name, 'x-who': name })
  expect(seen).not.toHaveProperty('authorization')
})

test('a mesh knows no such thing: in istio mode nobody is asked', async () => {
  const { accounts, asked } = cluster({ kind: 'refused', reason: 'account-gone' })
  const send = await open({ accounts, mode: 'istio' })
  expect(await send(await mint(claims))).toMatchObject({ 'kubeflow-userid': name })
  expect(asked).toEqual([])
})
