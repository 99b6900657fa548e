import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { decide, type Trace } from '../../src/policy/decide.ts'
import { facts, type PolicySpec, policySet, verdict } from './policy-world.ts'

const path = (...paths: string[]) => ({ to: [{ operation: { paths } }] })
const deny = (...rules: unknown[]): PolicySpec => ({ name: 'deny', action: 'DENY', rules })
const allow = (...rules: unknown[]): PolicySpec => ({ name: 'allow', rules })
const custom = (...rules: unknown[]): PolicySpec => ({
  name: 'custom',
  action: 'CUSTOM',
  provider: { name: 'auth' },
  rules,
})
const judge = (policies: readonly PolicySpec[], at: string) => verdict(policySet(policies), facts({ path: at }))

describe('precedence', () => {
  test('without policies everything is allowed', () => {
    expect(judge([], '/a')).toBe('allow')
  })

  test('with an ALLOW policy only what matches is allowed', () => {
    expect([judge([allow(path('/a'))], '/a'), judge([allow(path('/a'))], '/b')]).toEqual(['allow', 'deny'])
  })

  test('DENY outranks ALLOW, and an exact DENY an ALLOW prefix', () => {
    const policies = [allow(path('/a/*')), deny(path('/a/secret'))]
    expect([judge(policies, '/a/x'), judge(policies, '/a/secret')]).toEqual(['allow', 'deny'])
  })

  test('asking does not skip DENY and ALLOW', () => {
    expect(judge([custom({})], '/a')).toBe('ask')
    expect(judge([custom({}), deny(path('/a'))], '/a')).toBe('deny')
    expect(judge([custom({}), allow(path('/b'))], '/a')).toBe('deny')
  })

  test('AUDIT decides nothing', () => {
    expect(judge([{ action: 'AUDIT', rules: [{}] }], '/a')).toBe('allow')
  })
})

describe('empty rules', () => {
  test('an ALLOW policy without rules denies everything', () => {
    for (const rules of [undefined, null, [], [null]]) expect(judge([{ rules }], '/a')).toBe('deny')
  })

  test('an ALLOW policy with an empty rule allows everything', () => {
    expect(judge([{ rules: [{}] }], '/a')).toBe('allow')
  })

  test.each(['DENY', 'CUSTOM'])('a %s policy without rules is refused', (action) => {
    const provider = action === 'CUSTOM' ? { provider: { name: 'auth' } } : {}
    expect(() => policySet([{ action, ...provider }])).toThrow('without rules never matches')
  })

  test.each([
    [{ from: [] }, 'must not be empty'],
    [{ from: [{ source: {} }] }, 'at least one field'],
    [{ to: [{ operation: {} }] }, 'at least one field'],
    [path(), 'must not be empty'],
    [path(''), 'must not be empty'],
    [{ when: [{ key: 'request.headers[x]' }] }, 'needs `values` or `notValues`'],
  ])('%o is refused', (rule, message) => {
    expect(() => policySet([allow(rule)])).toThrow(message)
  })
})

describe('the algebra of a rule', () => {
  test('any source, any operation, every condition', () => {
    const rule = {
      from: [{ source: { ipBlocks: ['10.0.0.1'] } }, { source: { ipBlocks: ['10.0.0.2'] } }],
      to: [{ operation: { paths: ['/a'] } }, { operation: { methods: ['POST'] } }],
      when: [
        { key: 'request.headers[x]', values: ['1', '2'] },
        { key: 'request.headers[y]', notValues: ['3'] },
      ],
    }
    const judged = (request: Parameters<typeof facts>[0]) => verdict(policySet([allow(rule)]), facts(request))
    const good = { peerAddress: '10.0.0.2', path: '/a', headers: { x: '2' } }
    expect(judged(good)).toBe('allow')
    expect(judged({ ...good, path: '/b', method: 'POST' })).toBe('allow')
    expect(judged({ ...good, peerAddress: '10.0.0.3' })).toBe('deny')
    expect(judged({ ...good, path: '/b' })).toBe('deny')
    expect(judged({ ...good, headers: {} })).toBe('deny')
    expect(judged({ ...good, headers: { x: '2', y: '3' } })).toBe('deny')
  })
})

describe('scope', () => {
  const denyAll = (more: PolicySpec) => judge([{ ...deny({}), ...more }], '/a')

  test('a policy applies in its namespace and, from the root namespace, everywhere', () => {
    expect(denyAll({ namespace: 'istio-system' })).toBe('deny')
    expect(denyAll({ namespace: 'other' })).toBe('allow')
    const elsewhere = policySet([deny({})], { workload: { namespace: 'gateways', labels: {} } })
    expect(verdict(elsewhere, facts())).toBe('deny')
  })

  test('a selector must match every label', () => {
    expect(denyAll({ selector: { matchLabels: { istio: 'ingressgateway' } } })).toBe('deny')
    expect(denyAll({ selector: { matchLabels: { istio: 'ingressgateway', app: 'x' } } })).toBe('allow')
    expect(denyAll({ selector: {} })).toBe('deny')
  })

  test('a policy with targetRefs reaches only gateways of the Gateway API', () => {
    const targetRefs = [{ group: 'gateway.networking.k8s.io', kind: 'Gateway', name: 'edge' }]
    expect(denyAll({ targetRefs })).toBe('allow')
    const labels = { 'gateway.networking.k8s.io/gateway-name': 'edge' }
    const edge = { workload: { namespace: 'istio-system', labels } }
    expect(verdict(policySet([{ ...deny({}), targetRefs }], edge), facts())).toBe('deny')
    const other = [{ ...targetRefs[0], name: 'other' }]
    expect(verdict(policySet([{ ...deny({}), targetRefs: other }], edge), facts())).toBe('allow')
  })

  test('a dry-run policy is judged for explanation only', () => {
    const annotations = { 'istio.io/dry-run': 'true' }
    const policies = policySet([
      { ...deny({}), annotations },
      { ...allow(path('/x')), annotations },
    ])
    expect(verdict(policies, facts())).toBe('allow')
    expect(policies.dryRun).toHaveLength(2)
  })
})

describe('a provider that cannot be asked', () => {
  test('turns its rules into a refusal', () => {
    const policies = policySet([{ ...custom(path('/a')), provider: { name: 'unknown' } }])
    expect(verdict(policies, facts({ path: '/a' }))).toBe('deny')
    expect(verdict(policies, facts({ path: '/b' }))).toBe('allow')
    expect(policies.custom[0]?.rules[0]?.id).toBe(
      'istio-ext-authz-unknown-ns[istio-system]-policy[custom]-rule[0]-deny-due-to-bad-CUSTOM-action',
    )
  })

  test('two providers at one workload deny unless several are allowed', () => {
    const two = [custom(path('/a')), { ...custom(path('/b')), name: 'second', provider: { name: 'other' } }]
    const providers = new Set(['auth', 'other'])
    expect(verdict(policySet(two, { providers }), facts({ path: '/a' }))).toBe('deny')
    const several = policySet(two, { providers, allowsSeveralProviders: true })
    expect(verdict(several, facts({ path: '/a' }))).toBe('ask')
  })
})

describe('what cannot be enforced does not load', () => {
  test.each([
    [deny({ too: [] }), 'rules[0].too: unknown field `too`'],
    [deny({ to: [{ operation: { path: ['/a'] } }] }), 'did you mean `paths`?'],
    [deny(path('/a/{**}/{*}')), 'must be the last operator'],
    [deny({ from: [{ source: { ipBlocks: ['10.0.0.0/33'] } }] }), 'no IP address or CIDR range'],
    [deny({ to: [{ operation: { ports: ['http'] } }] }), 'no port'],
    [deny({ when: [{ key: 'request.header[x]', values: ['1'] }] }), 'unknown condition `request.header[x]`'],
    [deny({ when: [{ key: 'request.auth.claims', values: ['1'] }] }), 'is no claim'],
    [custom({ from: [{ source: { requestPrincipals: ['*'] } }] }), 'before tokens are verified'],
    [custom({ when: [{ key: 'request.auth.claims[a]', values: ['1'] }] }), 'before tokens are verified'],
    [{ ...custom({}), provider: undefined }, 'needs `provider.name`'],
    [{ ...custom({}), annotations: { 'istio.io/dry-run': 'true' } }, 'does not hold back'],
    [{ action: 'REFUSE', rules: [{}] }, 'unknown action `REFUSE`'],
    [
      { ...deny({}), selector: { matchLabels: { a: 'b' } }, targetRefs: [{ kind: 'Gateway', name: 'x' }] },
      'only one of',
    ],
    [deny({ from: [{ source: { serviceAccounts: ['a'], namespaces: ['b'] } }] }), 'beside `serviceAccounts`'],
  ])('%o', (policy, message) => {
    expect(() => policySet([policy])).toThrow(message)
  })

  test('every mistake is told at once', () => {
    const broken = deny(
      path(''),
      { to: [{ operation: { ports: ['x'] } }] },
      { when: [{ key: 'nonsense', values: ['1'] }] },
    )
    expect(() => policySet([broken])).toThrow(/must not be empty[\s\S]*no port[\s\S]*unknown condition/)
  })
})

describe('the trace', () => {
  test('gives the reason of every condition, and the same decision as without', () => {
    const policies = policySet([
      {
        ...deny({ from: [{ source: { notRequestPrincipals: ['*'] } }], to: [{ operation: { notPaths: ['/dex/*'] } }] }),
        name: 'require-jwt',
      },
    ])
    const trace: Trace = []
    const request = facts({ path: '/app' })
    expect(decide(policies, request, trace)).toEqual(decide(policies, request))
    expect(trace.map(({ rule, isMatch }) => [rule.id, isMatch])).toEqual([
      ['ns[istio-system]-policy[require-jwt]-rule[0]', true],
    ])
    expect(trace[0]?.conditions.map(({ condition, holds, reason }) => [condition.field, holds, reason])).toEqual([
      ['notRequestPrincipals', true, 'there is no verified token, so no request principal'],
      ['notPaths', true, 'path `/app` does not match `/dex/*`'],
    ])
  })

  test('never repeats the value of a header', () => {
    const policies = policySet([allow({ when: [{ key: 'request.headers[authorization]', values: ['Bearer *'] }] })])
    const trace: Trace = []
    decide(policies, facts({ headers: { authorization: 'Bearer secret' } }), trace)
    expect(trace[0]?.conditions[0]?.reason).toBe('header `authorization` matches')
    expect(JSON.stringify(trace[0]?.conditions[0]?.reason)).not.toContain('secret')
  })
})

describe('for any policies and requests', () => {
  const paths = fc.constantFrom('/', '/a', '/a/b', '/b', '/a/*', '*', '*b', '/{*}')
  const operation = fc.record({ paths: fc.array(paths, { minLength: 1, maxLength: 3 }) })
  const notOperation = fc.record({ notPaths: fc.array(paths, { minLength: 1, maxLength: 2 }) })
  const source = fc.constantFrom(
    { requestPrincipals: ['*'] },
    { notRequestPrincipals: ['i/*'] },
    { ipBlocks: ['10.0.0.0/8'] },
  )
  const rule = fc.record(
    {
      from: fc.array(fc.record({ source }), { minLength: 1, maxLength: 2 }),
      to: fc.array(fc.record({ operation: fc.oneof(operation, notOperation) }), { minLength: 1, maxLength: 2 }),
      when: fc.constantFrom(
        [{ key: 'request.headers[x]', values: ['1'] }],
        [{ key: 'request.headers[x]', notValues: ['*'] }],
      ),
    },
    { requiredKeys: [] },
  )
  const policyOf = (action: string) =>
    fc.record({
      name: fc.constantFrom('p', 'q', 'r'),
      action: fc.constant(action),
      rules: fc.array(rule, { minLength: 1, maxLength: 3 }),
    })
  const policies = fc.array(fc.oneof(policyOf('ALLOW'), policyOf('DENY')), { maxLength: 5 })
  const request = fc.record({
    path: fc.constantFrom('/', '/a', '/a/b', '/b', '/c/d'),
    peerAddress: fc.constantFrom('10.1.1.1', '192.0.2.1'),
    claims: fc.constantFrom(undefined, { iss: 'i', sub: 's' }, { iss: 'j' }),
    headers: fc.constantFrom<Record<string, string>>({}, { x: '1' }, { x: '2' }),
  })

  test('a further DENY never allows more', () => {
    fc.assert(
      fc.property(policies, policyOf('DENY'), request, (some, more, sent) => {
        const before = verdict(policySet(some), facts(sent))
        if (before === 'deny') expect(verdict(policySet([...some, more]), facts(sent))).toBe('deny')
      }),
    )
  })

  test('the order of policies never matters', () => {
    const shuffled = policies.chain((some) =>
      fc.tuple(fc.constant(some), fc.shuffledSubarray(some, { minLength: some.length })),
    )
    fc.assert(
      fc.property(shuffled, request, ([some, other], sent) => {
        expect(verdict(policySet(other), facts(sent))).toBe(verdict(policySet(some), facts(sent)))
      }),
    )
  })

  test('a trace changes no decision', () => {
    fc.assert(
      fc.property(policies, request, (some, sent) => {
        const set = policySet(some)
        expect(decide(set, facts(sent), [])).toEqual(decide(set, facts(sent)))
      }),
    )
  })
})
