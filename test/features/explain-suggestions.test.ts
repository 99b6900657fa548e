import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { suggestionKinds } from '../../src/insight/explain/suggest/index.ts'
import { type Asking, chainOf, explained, nowSeconds, stockIssuer, stockToken } from './explain-world.ts'
import { catchAllRoute, dexIssuer, mint, stockPolicies } from './gateway-world.ts'

const allow = (rule: string) => `${stockPolicies()}
---
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: { name: team, namespace: istio-system }
spec:
  action: ALLOW
  rules: [${rule}]
`

const firstOf = async (target: string, asking: Asking) => (await explained(target, asking)).suggestions[0]
const kindsOf = async (target: string, asking: Asking) =>
  (await explained(target, asking)).suggestions.map(({ kind }) => kind)

test('an anonymous request: sign in, else exempt the path in both policies', async () => {
  const { suggestions } = await explained('/myapp/api/data')
  expect(suggestions.map(({ kind, size }) => ({ kind, size }))).toEqual([
    { kind: 'sign-in', size: 1 },
    { kind: 'exempt-path', size: 6 },
  ])
  expect(suggestions[1]).toMatchObject({
    text: 'add `/myapp/*` to the notPaths of `istio-ingressgateway-oauth2-proxy` (CUSTOM) and `istio-ingressgateway-require-jwt` (DENY): one alone changes nothing',
    becomes: { isAllowed: true, status: 200 },
  })
  expect(suggestions[1]?.places.map(({ file, line }) => `${file}:${line}`)).toEqual([
    'kubeflow.yaml:399',
    'kubeflow.yaml:425',
  ])
})

test('the suggested exemption, written into the YAML, lets the request pass; in one policy only it does not', async () => {
  const exempt = '/dex/*, /dex/**, /oauth2/*'
  const both = stockPolicies().replaceAll(exempt, `${exempt}, /myapp/*`)
  const one = stockPolicies().replace(exempt, `${exempt}, /myapp/*`)
  expect((await explained('/myapp/x', { chain: chainOf(both) })).verdict.isAllowed).toBe(true)
  const half = await explained('/myapp/x', { chain: chainOf(one) })
  expect(half.verdict).toMatchObject({ isAllowed: false, body: 'RBAC: access denied' })
  expect(half.suggestions.filter(({ kind }) => kind === 'exempt-path').map(({ text }) => text)).toEqual([
    'add `/myapp/*` to the notPaths of `istio-ingressgateway-require-jwt` (DENY)',
  ])
})

test('where either of two lists is enough, neither is said to change nothing alone', async () => {
  const deny = allow('{ to: [{ operation: { notPaths: [/a, /b] } }] }').replace('ALLOW', 'DENY')
  const { suggestions } = await explained('/x', { chain: chainOf(deny), as: 'ada@example.com' })
  const exempting = suggestions.filter(({ kind }) => kind === 'exempt-path')
  expect(exempting.map(({ text }) => text)).toEqual(['add `/x` to the notPaths of `team` (DENY)'])
})

test('an expired token: mint it again; a foreign one: mint it with the trusted issuer', async () => {
  expect(await firstOf('/', { token: await stockToken({ exp: 1 }) })).toMatchObject({
    kind: 'fresh-token',
    text: 'mint the token with valid now (it is expired, or not yet valid)',
  })
  expect(await firstOf('/', { token: await stockToken({ iss: 'https://elsewhere.example' }) })).toMatchObject({
    kind: 'fresh-token',
    text: `mint the token with issuer \`${stockIssuer}\``,
  })
})

test('a token for another audience: mint it with the one that is asked for', async () => {
  const yaml = stockPolicies().replace(`- issuer: ${dexIssuer}`, `- issuer: ${dexIssuer}\n      audiences: [platform]`)
  const claims = { iss: dexIssuer, sub: 'ada', aud: 'other', exp: nowSeconds + 60 }
  const first = await firstOf('/', { chain: chainOf(yaml), token: await mint(claims) })
  expect(first).toMatchObject({ kind: 'fresh-token', text: 'mint the token with audience `platform`' })
})

test('a missing group is granted, a denied one withdrawn', async () => {
  const chain = chainOf(allow('{ when: [{ key: "request.auth.claims[groups]", values: [team-a] }] }'))
  expect(await firstOf('/', { chain, as: 'ada@example.com' })).toMatchObject({ text: 'grant the group `team-a`' })
  const deny = allow('{ when: [{ key: "request.auth.claims[groups]", values: [banned] }] }').replace('ALLOW', 'DENY')
  expect(await firstOf('/', { chain: chainOf(deny), as: 'ada@example.com', groups: ['banned'] })).toMatchObject({
    text: 'withdraw the group `banned`',
    becomes: { isAllowed: true },
  })
})

test('an anonymous request where a group is asked for: sign in as a member of it', async () => {
  const chain = chainOf(allow('{ when: [{ key: "request.auth.claims[groups]", values: [team-a] }] }'))
  expect(await firstOf('/', { chain })).toMatchObject({ kind: 'sign-in', text: 'sign in as a member of `team-a`' })
})

test.each([
  ['{ to: [{ operation: { methods: [GET], paths: [/a/*] } }] }', 'add `POST` to methods of `team` (ALLOW)'],
  ['{ to: [{ operation: { methods: [POST], paths: [/b/*] } }] }', 'add `/a/x` to paths of `team` (ALLOW)'],
  [
    '{ to: [{ operation: { hosts: [platform.example.com] } }] }',
    'add `platform.example.com:8443` to hosts of `team` (ALLOW)',
  ],
  ['{ from: [{ source: { remoteIpBlocks: [10.0.0.0/8] } }] }', 'add `127.0.0.1` to remoteIpBlocks of `team` (ALLOW)'],
])('an ALLOW rule that lacks one value is told which: %s', async (rule, text) => {
  const asking = {
    chain: chainOf(allow(rule)),
    method: 'POST',
    host: 'platform.example.com:8443',
    as: 'ada@example.com',
  }
  expect((await explained('/a/x', asking)).suggestions.map((one) => one.text)).toContain(text)
})

test('a script is told to ask as a navigation, which leads to the sign-in', async () => {
  const background = [['X-Requested-With', 'XMLHttpRequest']] as const
  const { verdict } = await explained('/x', { headers: background })
  expect(verdict.status).toBe(403) // the stock provider is not given the header
  const yaml = stockPolicies().replace('[authorization, cookie]', '[authorization, cookie, x-requested-with]')
  const { suggestions } = await explained('/x', { chain: chainOf(yaml), headers: background })
  expect(suggestions.map(({ kind }) => kind)).toContain('sign-in')
})

test('where one change is not enough, two are told', async () => {
  const chain = chainOf(allow('{ to: [{ operation: { paths: [/team/*] } }] }'))
  expect(await firstOf('/x', { chain })).toMatchObject({
    kind: 'sign-in+fit-rule',
    text: 'sign in, or send a token of a trusted issuer; then add `/x` to paths of `team` (ALLOW)',
    becomes: { isAllowed: true },
  })
})

test('a path without a route: the one nearly the same, or a new route', async () => {
  const yaml = stockPolicies().replace(
    catchAllRoute,
    catchAllRoute.replace('- route', '- match: [{ uri: { prefix: /app/ } }]\n      route'),
  )
  const explanation = await explained('/app', { chain: chainOf(yaml), as: 'ada@example.com' })
  expect(explanation.verdict).toMatchObject({ isAllowed: false, status: 404 })
  expect(explanation.suggestions.map(({ kind, text }) => ({ kind, text }))).toEqual([
    { kind: 'other-path', text: 'ask for `/app/`' },
    {
      kind: 'add-route',
      text: 'add a VirtualService with a route for the prefix `/app` on host `platform.example.com`',
    },
  ])
})

test('a DENY rule nothing else helps against is the last resort', async () => {
  const yaml = allow('{ to: [{ operation: { paths: [/x] } }] }').replace('ALLOW', 'DENY')
  expect(await kindsOf('/x', { chain: chainOf(yaml), as: 'ada@example.com' })).toEqual(['remove-rule'])
})

test('for a request that passes: what would stop it', async () => {
  expect(await firstOf('/', { as: 'ada@example.com' })).toMatchObject({
    kind: 'other-request',
    text: 'come without credentials',
    becomes: { isAllowed: false, status: 403 },
  })
  expect(await kindsOf('/dex/auth', {})).toContain('guard-path')
})

describe('whatever is asked', () => {
  const asking = fc.record(
    {
      method: fc.constantFrom('GET', 'POST', 'OPTIONS'),
      as: fc.constantFrom('ada@example.com', 'eve@example.com'),
      groups: fc.subarray(['team-a', 'banned']),
      headers: fc.subarray([
        ['Authorization', 'Basic eDp5'],
        ['Accept', 'application/json'],
        ['Sec-Fetch-Mode', 'cors'],
      ] as [string, string][]),
    },
    { requiredKeys: [] },
  )
  const target = fc.constantFrom('/', '/myapp/x', '/dex/auth', '/oauth2/../x', '/pipeline/apis/x', '/team/x', '/DEX/x')
  const policies = fc.constantFrom(
    stockPolicies(),
    allow(
      '{ to: [{ operation: { paths: [/team/*] } }], when: [{ key: "request.auth.claims[groups]", values: [team-a] }] }',
    ),
    allow('{ when: [{ key: "request.auth.claims[groups]", values: [banned] }] }').replace('ALLOW', 'DENY'),
  )

  test('a suggestion alters the verdict, and the first turns it around or leads to the sign-in', async () => {
    await fc.assert(
      fc.asyncProperty(policies, target, asking, async (yaml, path, how) => {
        const { verdict, suggestions } = await explained(path, { ...how, chain: chainOf(yaml) })
        for (const { becomes, kind } of suggestions) {
          for (const one of kind.split('+')) expect(Object.keys(suggestionKinds)).toContain(one)
          expect(becomes.isAllowed === verdict.isAllowed && becomes.status === verdict.status).toBe(false)
        }
        expect(suggestions.length).toBeGreaterThan(0)
        expect(suggestions.some(({ becomes }) => becomes.isAllowed !== verdict.isAllowed)).toBe(true)
      }),
      { numRuns: 40, seed: 1 },
    )
  })
})
