import fc from 'fast-check'
import { expect, test } from 'vitest'
import { decide, type Trace } from '../../src/policy/decide.ts'
import { facts, policySet } from './policy-world.ts'

const segment = fc.constantFrom('a', 'b', 'ab', '')
const path = fc.array(segment, { minLength: 1, maxLength: 4 }).map((segments) => `/${segments.join('/')}`)
const word = fc.constantFrom('ada', 'ad', 'bob', 'b')
const pattern = (text: fc.Arbitrary<string>) =>
  fc.tuple(text, fc.constantFrom('', '*')).chain(([one, star]) => fc.constantFrom(`${one}${star}`, `${star}${one}`))
const values = (text: fc.Arbitrary<string>) => fc.array(pattern(text), { minLength: 1, maxLength: 3 })
const template = fc.constantFrom('/a/{*}', '/{**}', '/ab/{**}', '/{*}/b')

const operation = fc.oneof(
  fc.record({ paths: fc.oneof(values(path), fc.array(template, { minLength: 1, maxLength: 2 })) }),
  fc.record({ paths: values(path), hosts: values(fc.constantFrom('One.example', 'two.example:80')) }),
  fc.record({ notPaths: values(path) }),
  fc.record({ methods: fc.constant(['GET']) }),
)
const source = fc.oneof(
  fc.record({ requestPrincipals: values(fc.constantFrom('iss/ada', 'https://i/x/bob', 'iss/', 'https://i')) }),
  fc.record({ notRequestPrincipals: fc.constant(['*']) }),
  fc.record({ principals: fc.constant(['x']) }),
)
const condition = fc.oneof(
  fc.record({ key: fc.constantFrom('request.headers[x-user]', 'request.auth.claims[groups]'), values: values(word) }),
  fc.record({ key: fc.constant('request.headers[X-User]'), notValues: values(word) }),
  fc.record({ key: fc.constantFrom('request.auth.audiences', 'request.auth.principal'), values: values(word) }),
)
const some = <T>(one: fc.Arbitrary<T>) => fc.array(one, { minLength: 1, maxLength: 2 })
const rule = fc.record(
  {
    from: some(fc.record({ source })),
    to: some(fc.record({ operation })),
    when: some(condition),
  },
  { requiredKeys: [] },
)
const policy = fc.record({ action: fc.constantFrom('ALLOW', 'DENY'), rules: some(rule) })
const claims = fc.option(
  fc.record({
    iss: fc.constantFrom('iss', 'https://i/x', 'https://i'),
    sub: word,
    aud: word,
    groups: fc.oneof(word, fc.array(fc.oneof(word, fc.integer()), { maxLength: 3 }), fc.integer()),
  }),
  { nil: undefined },
)
const request = fc.record({
  path,
  host: fc.constantFrom('one.example', 'ONE.example:80', 'two.example'),
  claims,
  user: fc.option(word),
})

test('rules looked up decide as rules tried one after the other', () => {
  fc.assert(
    fc.property(fc.array(policy, { maxLength: 12 }), request, (policies, { user, ...given }) => {
      const set = policySet(policies.map((one, at) => ({ name: `p${at}`, ...one })))
      const asked = facts({ ...given, headers: user === null ? {} : { 'x-user': user } })
      const trace: Trace = []
      expect(decide(set, asked)).toEqual(decide(set, asked, trace))
    }),
    { numRuns: 1000 },
  )
})

test('of hundreds of rules only those a request could match are tried', () => {
  const set = policySet(
    Array.from({ length: 500 }, (_, at) => ({
      name: `team-${at}`,
      action: 'DENY',
      rules: [
        at % 2
          ? { to: [{ operation: { methods: ['GET'], paths: [`/team-${at}/*`] } }] }
          : {
              to: [{ operation: { paths: ['/notebook/*'] } }],
              when: [{ key: 'request.headers[x]', values: [`${at}`] }],
            },
      ],
    })),
  )
  const tried: string[] = []
  set.index.deny.first(facts({ path: '/team-7/lab', headers: { x: '8' } }), ({ policy: { name } }) => {
    tried.push(name)
    return false
  })
  expect(tried.toSorted()).toEqual(['team-7', 'team-8'])
})
