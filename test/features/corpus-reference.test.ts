import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { normalisePath } from '../../src/gateway/normalise-path.ts'
import { selectPolicies } from '../../src/policy/policy-set.ts'
import { factsOf } from '../corpus/engine-facts.ts'
import { configOf } from '../corpus/live-gateway.ts'
import { denyPolicy, meshes, policyLists, type RandomRequest, requests } from '../corpus/random-worlds.ts'
import { evaluate, type ReferencePolicy } from '../reference/evaluate.ts'
import { verdict } from './policy-world.ts'

type Policies = readonly Readonly<Record<string, unknown>>[]
const runs = 1500
const authentication = {
  apiVersion: 'security.istio.io/v1',
  kind: 'RequestAuthentication',
  metadata: { name: 'jwt', namespace: 'istio-system' },
  spec: {
    jwtRules: ['issuer-1@example.com', 'issuer-2@example.com', 'https://issuer-3.example.com/realms/x'].map(
      (issuer) => ({
        issuer,
        jwks: 'KEYS',
      }),
    ),
  },
}

/** What the compiled engine says. */
function judge(policies: Policies, mesh: Readonly<Record<string, unknown>>, request: RandomRequest) {
  const config = configOf({ mesh, resources: [...policies, authentication] })
  const set = selectPolicies(config.authorizationPolicies, {
    workload: config.workload,
    rootNamespace: 'istio-system',
    providers: new Set(['auth']),
    allowsSeveralProviders: false,
  })
  const facts = factsOf({ status: 200, arrives: {}, ...request, token: request.token }, config)
  if (!facts) throw new Error(`${request.path} is malformed`)
  return { verdict: verdict(set, facts), facts, trustedProxies: config.meshConfig.numTrustedProxies }
}

/** The same by the reference. */
function refer(policies: Policies, request: RandomRequest, { facts, trustedProxies }: ReturnType<typeof judge>) {
  const lines = Object.entries(request.headers).flatMap(([name, value]) =>
    [value].flat().map((line) => [name.toLowerCase(), line.trim()] as const),
  )
  const { method, path, query = '', host, claims } = facts
  // the generators write policies of this very shape
  const written = JSON.parse(JSON.stringify(policies).replaceAll('PORT', '8080')) as readonly ReferencePolicy[]
  return evaluate(written, {
    method,
    path,
    query,
    host,
    headers: lines,
    peer: request.from,
    trustedProxies,
    port: '8080',
    claims,
  })
}

describe('for any policies and requests', () => {
  test('the compiled engine and the reference evaluator agree', () => {
    const counts = { ask: 0, deny: 0, allow: 0 }
    const many = fc.array(requests, { minLength: 4, maxLength: 4 })
    fc.assert(
      fc.property(policyLists, meshes, many, (policies, mesh, sent) => {
        for (const request of sent) {
          const judged = judge(policies, mesh, request)
          expect(judged.verdict, JSON.stringify({ policies, request })).toBe(refer(policies, request, judged))
          counts[judged.verdict] += 1
        }
      }),
      { numRuns: runs, seed: 1 },
    )
    expect(Math.min(...Object.values(counts)), JSON.stringify(counts)).toBeGreaterThan(runs / 20)
  })

  test('a further DENY never allows more', () => {
    fc.assert(
      fc.property(policyLists, denyPolicy, meshes, requests, (policies, more, mesh, request) => {
        const renamed = { ...more, metadata: { ...more.metadata, name: 'more' } }
        const before = judge(policies, mesh, request).verdict
        const after = judge([...policies, renamed], mesh, request).verdict
        expect(after === before || after === 'deny').toBe(true)
      }),
      { numRuns: 400, seed: 2 },
    )
  })

  test('neither order nor repetition of policies and rules changes anything', () => {
    fc.assert(
      fc.property(policyLists, meshes, requests, (policies, mesh, request) => {
        const turned = policies.toReversed().map((policy) => ({
          ...policy,
          spec: { ...policy.spec, rules: [...policy.spec.rules, ...policy.spec.rules].reverse() },
        }))
        expect(judge(turned, mesh, request).verdict).toBe(judge(policies, mesh, request).verdict)
      }),
      { numRuns: 400, seed: 3 },
    )
  })

  test('values and notValues of one condition are each other\u2019s opposite', () => {
    const patterns = fc.uniqueArray(fc.constantFrom('1', '1*', '*1', '*', '2'), { minLength: 1, maxLength: 3 })
    fc.assert(
      fc.property(patterns, meshes, requests, (values, mesh, request) => {
        const policyOf = (condition: object) => ({
          apiVersion: 'security.istio.io/v1',
          kind: 'AuthorizationPolicy',
          metadata: { name: 'one', namespace: 'istio-system' },
          spec: { rules: [{ when: [{ key: 'request.headers[x-a]', ...condition }] }] },
        })
        const positive = judge([policyOf({ values })], mesh, request).verdict
        const negative = judge([policyOf({ notValues: values })], mesh, request).verdict
        expect([positive, negative].toSorted()).toEqual(['allow', 'deny'])
      }),
      { numRuns: 400, seed: 4 },
    )
  })

  test('a path that was normalised is not changed again', () => {
    const pieces = fc.constantFrom(
      '/',
      '//',
      '.',
      '..',
      '%2e',
      '%2f',
      '%5C',
      '\\',
      '%',
      '%25',
      '2e',
      'a',
      ';',
      '%zz',
      '~',
      '%7e',
    )
    const modes = fc.constantFrom('NONE' as const, 'BASE' as const, 'MERGE_SLASHES' as const)
    fc.assert(
      fc.property(fc.array(pieces, { maxLength: 12 }), modes, (parts, mode) => {
        const once = normalisePath(`/${parts.join('')}`, mode)
        if (once !== undefined) expect(normalisePath(once, mode)).toBe(once)
      }),
      { numRuns: 5000, seed: 5 },
    )
  })
})
