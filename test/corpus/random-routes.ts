import fc from 'fast-check'
import type { RandomRequest } from './random-worlds.ts'

/** VirtualServices and requests from small alphabets, so that they often meet. */
export interface RandomRoutes {
  readonly mesh: Readonly<Record<string, unknown>>
  readonly resources: readonly Readonly<Record<string, unknown>>[]
  readonly requests: readonly RandomRequest[]
}

const texts = fc.constantFrom('/', '/a', '/a/', '/a/b', '/ab', '/b', '/A', '/a/b/c')
const expressions = fc.constantFrom('.*', '/.*', '/a.*', '/[ab]/?', '/a/[^/]+', '/a|/b', '/(a|b)/b')
const uri = fc.oneof(
  texts.map((exact) => ({ exact })),
  texts.map((prefix) => ({ prefix })),
  expressions.map((regex) => ({ regex })),
)
const values = fc.oneof(
  fc.constantFrom('1', '12', '2', 'x y').map((exact) => ({ exact })),
  fc.constantFrom('1', '2').map((prefix) => ({ prefix })),
  fc.constantFrom('1+', '.*', '[12]', '1?').map((regex) => ({ regex })),
  fc.constant({}),
)
const named = (names: readonly string[]) => fc.dictionary(fc.constantFrom(...names), values, { minKeys: 1, maxKeys: 2 })
const match = fc.record(
  {
    uri,
    ignoreUriCase: fc.boolean(),
    method: fc.constantFrom({ exact: 'POST' }, { regex: 'P.*' }, { prefix: 'G' }),
    authority: fc.constantFrom({ exact: 'a.com' }, { prefix: 'a' }, { regex: '.*com(:80)?' }),
    scheme: fc.constantFrom({ exact: 'http' }, { exact: 'https' }),
    headers: named(['x-a', 'X-B']),
    withoutHeaders: named(['x-a', 'X-B']),
    queryParams: named(['q', 'r']),
  },
  { requiredKeys: [] },
)

const operations = fc.record(
  {
    set: fc.constantFrom({ 'x-a': 'set' }, { 'x-new': 'of %REQ(X-A)%' }),
    add: fc.constantFrom({ 'x-a': 'added' }, { 'x-new': 'added' }),
    remove: fc.constantFrom(['x-a'], ['x-b', 'x-new']),
  },
  { requiredKeys: [] },
)
const headers = fc.record({ request: operations, response: operations }, { requiredKeys: [] })
const rewrite = fc.oneof(
  fc.constantFrom('/', '/z', '/z/').map((path) => ({ uri: path })),
  fc.constantFrom('^/a', 'a', '/([^/]*)/(.*)').map((pattern) => ({
    uriRegexRewrite: { match: pattern, rewrite: pattern.includes('(') ? '/\\2/\\1' : '/y' },
  })),
)
const destination = fc.constantFrom('app', 'other').map((host) => ({ destination: { host, port: { number: 80 } } }))
const forwards = fc.record({ route: destination.map((one) => [one]), rewrite, headers }, { requiredKeys: ['route'] })
const redirects = fc.record(
  {
    redirect: fc.record(
      {
        uri: fc.constantFrom('/new', '/new?x=1'),
        // with a port of its own beside `port` Envoy writes both (`new.example:81:443`), and we one
        authority: fc.constant('new.example'),
        scheme: fc.constantFrom('http', 'https'),
        port: fc.constantFrom(80, 443, 81),
        redirectCode: fc.constantFrom(301, 302, 307),
      },
      { requiredKeys: ['uri'] },
    ),
  },
  { requiredKeys: ['redirect'] },
)
const answers = fc
  .constantFrom(200, 201, 404, 503)
  .map((status) => ({ directResponse: { status, body: { string: 'own' } } }))
const entry = fc
  .tuple(fc.array(match, { maxLength: 2 }), fc.oneof({ weight: 3, arbitrary: forwards }, redirects, answers))
  .map(([matches, action]) => (matches.length === 0 ? action : { match: matches, ...action }))

const hosts = fc.constantFrom(['*'], ['*'], ['a.com'], ['*.a.com'], ['b.com', 'a.com'])
const services = fc.uniqueArray(
  fc.record({
    name: fc.constantFrom('p', 'q', 'r'),
    hosts,
    http: fc.array(entry, { minLength: 1, maxLength: 4 }),
    year: fc.constantFrom(2023, 2024),
  }),
  { minLength: 1, maxLength: 3, selector: ({ name }) => name },
)

const requests: fc.Arbitrary<RandomRequest> = fc.record({
  method: fc.constantFrom('GET', 'GET', 'POST', 'PUT'),
  path: fc.constantFrom(
    ...[
      '/',
      '/a',
      '/a/',
      '/a/b',
      '/A/b',
      '/ab',
      '/b',
      '/b/b',
      '/a/b/c',
      '/a?q=1',
      '/?q=12&r',
      '/a/b?r=x+y',
      '/a?q=x%20y',
    ],
    ...['/b?q=2&q=1', '/a//b', '/x', '/%61'],
  ),
  host: fc.constantFrom('a.com', 'a.com:80', 'x.a.com', 'b.com', 'c.com', 'A.com'),
  from: fc.constant('127.0.0.1'),
  headers: fc.record(
    { 'x-a': fc.constantFrom('', '1', '12', '2', ['1', '2']), 'X-B': fc.constantFrom('1', '2') },
    { requiredKeys: [] },
  ),
})

export const routeWorlds: fc.Arbitrary<RandomRoutes> = fc
  .record({ given: services, sent: fc.array(requests, { minLength: 16, maxLength: 16 }) })
  .map(({ given, sent }) => ({
    mesh: {},
    requests: sent,
    resources: given.map(({ name, hosts: names, http, year }) => ({
      apiVersion: 'networking.istio.io/v1',
      kind: 'VirtualService',
      metadata: { name, namespace: 'apps', creationTimestamp: `${year}-01-01T00:00:00Z` },
      spec: { hosts: names, gateways: ['istio-system/edge'], http },
    })),
  }))
