import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { rulesFile } from '../../scripts/docs.ts'
import { rulesMarkdown } from '../../src/insight/lint/formats/markdown.ts'
import { rules } from '../../src/insight/lint/index.ts'
import { findingsOf, fixtureFiles, placesOf } from './check-world.ts'

const placesIn = (name: string) => placesOf(findingsOf(fixtureFiles(name)))

test('the prokube policies have dead weight, and no life for their cookie', () => {
  expect(placesIn('seed-000')).toEqual([
    'authorizationpolicy.istio-ingressgateway-oauth2-proxy.yaml:18:11 warning double-star',
    'authorizationpolicy.istio-ingressgateway-require-jwt.yaml:19:11 warning double-star',
    'oauth2_proxy.cfg:2:1 warning cookie-outlives-token',
  ])
})

test('the guide to Dex with Keycloak loses the groups at three hops', () => {
  expect(placesIn('seed-001')).toEqual([
    'config-map.yaml:34:7 warning groups-stop',
    'config-map.yaml:42:9 warning groups-stop',
    'oauth2_proxy.cfg:3:1 warning groups-stop',
    'requestauthentication.dex-jwt.yaml:11:5 note no-audiences',
    'requestauthentication.dex-jwt.yaml:16:7 note array-claim-to-header',
  ])
})

test('the guide to oidc-authservice asks for no groups', () => {
  expect(placesIn('seed-002')).toEqual(['params.env:6:1 warning groups-stop'])
})

test('stock Kubeflow: its committed secrets are errors, its header list a warning', () => {
  const found = placesIn('stock')
  expect(found.filter((place) => place.includes(' error ')).map((place) => place.split(' ').at(-1))).toEqual(
    Array(4).fill('public-secret'),
  )
  expect(new Set(found.map((place) => place.split(' ').at(-1)))).toEqual(
    new Set(['public-secret', 'forwarded-header-unsanitised', 'double-star', 'array-claim-to-header', 'no-audiences']),
  )
})

test('one list that lacks a path is found at the path in the other', () => {
  const files = fixtureFiles('seed-000')
  const name = 'authorizationpolicy.istio-ingressgateway-require-jwt.yaml'
  files.set(name, (files.get(name) ?? '').replace('        - /myapp/*\n', ''))
  const [found] = findingsOf(files).filter(({ rule }) => rule === 'exempt-in-one-list')
  expect(found).toMatchObject({
    place: { file: 'authorizationpolicy.istio-ingressgateway-oauth2-proxy.yaml', line: 25, column: 11 },
    message: expect.stringContaining('`/myapp/*` is exempt here, but not in the other policy'),
    edits: [],
  })
})

test('everything loading refuses is told, with the mistakes of every file at once', () => {
  const found = findingsOf(fixtureFiles('broken'))
  const files = new Set(found.filter(({ rule }) => rule === 'configuration').map(({ place }) => place.file))
  expect([...files].toSorted()).toEqual(
    expect.arrayContaining(['dex.yaml', 'istio.yaml', 'mesh.yaml', 'oauth2_proxy.cfg', 'realm.json', 'twice.yaml']),
  )
})

test('a path that a wider one of the other list covers is in both', () => {
  const files = fixtureFiles('seed-000')
  const name = 'authorizationpolicy.istio-ingressgateway-require-jwt.yaml'
  files.set(name, (files.get(name) ?? '').replace('- /dex/**', '- /dex/healthz').replace('- /myapp/*', '- /myapp*'))
  expect(placesOf(findingsOf(files).filter(({ rule }) => rule === 'exempt-in-one-list'))).toEqual([
    `${name}:26:11 warning exempt-in-one-list`,
  ])
})

test('issuers that differ by their host are found, although running them here would bring them together', () => {
  const files = fixtureFiles('seed-001')
  files.set(
    'oauth2_proxy.cfg',
    (files.get('oauth2_proxy.cfg') ?? '').replace('kubeflow.example.com/dex', 'kf.example.com/dex'),
  )
  expect(placesOf(findingsOf(files).filter(({ severity }) => severity === 'error'))).toEqual([
    'oauth2_proxy.cfg:2:1 error issuer-mismatch',
    'requestauthentication.dex-jwt.yaml:11:5 error token-issuer',
  ])
})

test('every rule that config/checks tells has its page', () => {
  const folder = join(import.meta.dirname, '../../src/config/checks')
  const texts = [
    'connector-callbacks',
    'exemptions',
    'groups',
    'proxy-client',
    'public-secrets',
    'realm-clients',
    'token-issuer',
  ]
    .map((name) => readFileSync(join(folder, `${name}.ts`), 'utf8'))
    .join('\n')
  const told = [...texts.matchAll(/under\('([^']+)'\)|rule: '([^']+)'/g)].map(([, a, b]) => a ?? b)
  expect(told.length).toBeGreaterThan(8)
  expect(rules.map(({ id }) => id)).toEqual(expect.arrayContaining(told))
})

test('docs/RULES.md is what `npm run docs` writes', () => {
  expect(readFileSync(rulesFile, 'utf8')).toBe(rulesMarkdown())
})

test('files that say nothing of sign-in are no clean bill', () => {
  expect(findingsOf({ 'readme.yaml': 'hello: world\n' })).toMatchObject([
    { rule: 'configuration', severity: 'error', message: expect.stringMatching(/^nothing of Dex, oauth2-proxy/) },
  ])
})

test('a prefix inside another’s is told unless it is known to be the older one', () => {
  const service = (name: string, prefix: string, created = '') => `apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: ${name}, namespace: apps${created}}
spec:
  gateways: [kubeflow/kubeflow-gateway]
  hosts: ["*"]
  http:
  - match: [{uri: {prefix: ${prefix}}}]
    route: [{destination: {host: ${name}.apps.svc.cluster.local}}]
`
  const messages = (...texts: string[]) =>
    findingsOf({ 'a.yaml': texts.join('---\n') })
      .filter(({ rule }) => rule === 'overlapping-prefixes')
      .map(({ message }) => message)
  const [older, newer] = [', creationTimestamp: "2026-01-01T00:00:00Z"', ', creationTimestamp: "2026-02-01T00:00:00Z"']
  expect(messages(service('a', '/x/y/'), service('b', '/x/'))).toEqual([
    '`/x/y/` is only reached where it is older than `/x/` of `b` (a.yaml:18)',
  ])
  expect(messages(service('a', '/x/y/', newer), service('b', '/x/', older))).toEqual([
    '`/x/y/` is never reached, as `/x/` of `b` (a.yaml:18) is older',
  ])
  expect(messages(service('a', '/x/y/', older), service('b', '/x/', newer))).toEqual([])
  expect(messages(service('a', '/x/'), service('b', '/x/'))).toEqual([
    '`/x/` is only reached where it is older than `/x/` of `a` (a.yaml:8)',
  ])
  expect(messages(service('a', '/'), service('b', '/x/'))).toEqual([])
})

test('an app that believes a header nobody sets is found by its variable', () => {
  const files = {
    ...fixtureObject('seed-001'),
    'kfam.yaml': `apiVersion: v1
kind: ConfigMap
metadata: {name: profiles-config}
data:
  USERID_HEADER: x-goog-user
`,
  }
  expect(placesOf(findingsOf(files)).filter((place) => place.endsWith('identity-header-unsanitised'))).toEqual([
    'kfam.yaml:5:18 error identity-header-unsanitised',
  ])
})

test('an issuer that is no URL is told, not thrown', () => {
  const { 'dex.yaml': dex = '', ...others } = rules.find(({ id }) => id === 'issuer-mismatch')?.good ?? {}
  const found = findingsOf({ ...others, 'dex.yaml': dex.replace(/^issuer: .*/, 'issuer: "https://["') })
  expect(found).toMatchObject(
    expect.arrayContaining([
      expect.objectContaining({ rule: 'configuration', message: 'must be an http(s) URL without query and fragment' }),
    ]),
  )
})

test('torn files are told with places inside them, whatever is torn out', () => {
  const whole = ['seed-000', 'seed-001', 'stock'].map((name) => fixtureFiles(name))
  const torn = fc.record({
    files: fc.constantFrom(...whole),
    which: fc.nat(),
    from: fc.nat(),
    count: fc.integer({ min: 1, max: 9 }),
  })
  fc.assert(
    fc.property(torn, ({ files, which, from, count }) => {
      const changed = new Map(files)
      const [name = '', text = ''] = [...files][which % files.size] ?? []
      const lines = text.split('\n')
      changed.set(name, lines.toSpliced(from % lines.length, count).join('\n'))
      for (const { place, message } of findingsOf(changed)) {
        expect(message).not.toBe('')
        expect(place.line ?? 1).toBeLessThanOrEqual((changed.get(place.file) ?? '').split('\n').length)
      }
    }),
    { numRuns: 60 },
  )
})

const fixtureObject = (name: string) => Object.fromEntries(fixtureFiles(name))
