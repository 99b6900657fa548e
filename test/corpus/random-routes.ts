import fc from 'fast-check'
import { headerTexts } from './random-requests.ts'
import type { RandomRequest, RandomWorld } from './random-worlds.ts'

/** VirtualServices and requests from small alphabets, so that they often meet. */
const texts = fc.constantFrom(
  '/',
  '/a',
  '/a/',
  '/a/b',
  '/ab',
  '/b',
  '/A',
  '/a/b/c',
  '/A/b',
  '/a//b',
  '/a%2fb',
  '/.',
  'a',
)
const expressions = fc.constantFrom(
  ...[
    '.*',
    '/.*',
    '/a.*',
    '/[ab]/?',
    '/a/[^/]+',
    '/a|/b',
    '/(a|b)/b',
    '(?i)/a/B',
    '/\\w',
    '[^b]*',
    '/a/?',
    '.+b',
    '/%2F|//',
  ],
)
const uri = fc.oneof(
  texts.map((exact) => ({ exact })),
  texts.map((prefix) => ({ prefix })),
  expressions.map((regex) => ({ regex })),
)
const values = fc.oneof(
  fc.constantFrom('1', '12', '2', 'x y', 'x%20y', '1,2', '', 'A').map((exact) => ({ exact })),
  fc.constantFrom('1', '2', 'x', '/a', 'a.com', 'P').map((prefix) => ({ prefix })),
  fc.constantFrom('1+', '.*', '[12]', '1?', '.+', '(?i)a', '1,.*', '^1$').map((regex) => ({ regex })),
  fc.constant({}),
)
const named = (names: readonly string[]) => fc.dictionary(fc.constantFrom(...names), values, { minKeys: 1, maxKeys: 2 })
const claimNames = ['groups', 'sub', 'nested.key1', 'missing'].map((name) => `@request.auth.claims.${name}`)
const moreClaims = ['@request.auth.claims[nested][nested-2][key2]', '@request.auth.claims[scope]']
const claimMatches = fc.dictionary(
  fc.constantFrom(...claimNames, ...moreClaims),
  fc.oneof(
    fc.constantFrom('group-1', 'valueA', 'read', 'sub-2').map((exact) => ({ exact })),
    fc.constantFrom('group', 'value').map((prefix) => ({ prefix })),
    fc.constantFrom('group-[12]', '.*').map((regex) => ({ regex })),
  ),
  { minKeys: 1, maxKeys: 1 },
)
const headerNames = ['x-a', 'X-B', ':authority', ':method', ':path', 'host', 'cookie']
const ownMatch = fc.record(
  {
    uri,
    ignoreUriCase: fc.boolean(),
    method: fc.constantFrom({ exact: 'POST' }, { regex: 'P.*' }, { prefix: 'G' }, { exact: 'get' }),
    authority: fc.constantFrom(
      ...[{ exact: 'a.com' }, { prefix: 'a' }, { regex: '.*com(:80)?' }, { exact: 'A.com' }, { prefix: 'a.com:' }],
    ),
    scheme: fc.constantFrom({ exact: 'http' }, { exact: 'https' }, { prefix: 'h' }, { regex: 'https?' }),
    headers: fc.oneof({ weight: 4, arbitrary: named(headerNames) }, { weight: 1, arbitrary: claimMatches }),
    withoutHeaders: fc.oneof({ weight: 4, arbitrary: named(headerNames) }, { weight: 1, arbitrary: claimMatches }),
    queryParams: named(['q', 'r', 'Q']),
  },
  { requiredKeys: [] },
)
// few conditions at a time, so that they are often met
const match = fc
  .tuple(ownMatch, fc.uniqueArray(fc.nat(7), { minLength: 1, maxLength: 3 }))
  .map(([all, picked]) => Object.fromEntries(Object.entries(all).filter((_, at) => picked.includes(at))))

const operations = fc.record(
  {
    set: fc.constantFrom<Readonly<Record<string, string>>>(
      ...[
        { 'x-a': 'set' },
        { 'x-new': 'of %REQ(X-A)%' },
        { 'X-New': '%PROTOCOL% %%' },
        { 'x-b': '%REQ(:method?x-a)%' },
      ],
      ...[
        { host: 'set.example' },
        { ':authority': 'auth.example' },
        { 'x-new': '%DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT%' },
      ],
      ...[{ 'x-a': '1', 'x-b': '%REQ(x-a)%' }],
    ),
    add: fc.constantFrom({ 'x-a': 'added' }, { 'x-new': 'added' }, { 'x-a': '%REQ(x-none)%' }, { 'X-B': 'b' }),
    remove: fc.constantFrom(['x-a'], ['x-b', 'x-new'], ['X-A'], ['X-B', 'x-none']),
  },
  { requiredKeys: [] },
)
const ofResponse = operations.map(({ set, ...rest }) =>
  set === undefined || 'host' in set || ':authority' in set ? rest : { ...rest, set },
)
const headers = fc.record({ request: operations, response: ofResponse }, { requiredKeys: [] })
const rewrite = fc.oneof(
  fc.constantFrom('/', '/z', '/z/', '/z?x=1', '/z//').map((path) => ({ uri: path })),
  fc.constantFrom('^/a', 'a', '/([^/]*)/(.*)', '(?i)/A', '/', 'b*', '$').map((pattern) => ({
    uriRegexRewrite: { match: pattern, rewrite: pattern.includes('(.') ? '/\\2/\\1' : '/y' },
  })),
  fc.constant({ authority: 'rewritten.example' }),
  fc.constant({ uri: '/z', authority: 'rewritten.example:81' }),
)
const cors = fc.record(
  {
    allowOrigins: fc.constantFrom(
      ...[
        [{ exact: 'https://a.com' }],
        [{ prefix: 'https://' }],
        [{ regex: '.*' }],
        [{ exact: '*' }],
        [{ exact: 'null' }],
      ],
    ),
    allowMethods: fc.constantFrom(['GET', 'POST'], ['*']),
    allowHeaders: fc.constantFrom(['x-a'], ['*']),
    exposeHeaders: fc.constantFrom(['x-b'], ['*']),
    maxAge: fc.constantFrom('24h', '1s', '90s'),
    allowCredentials: fc.boolean(),
    unmatchedPreflights: fc.constantFrom('FORWARD', 'IGNORE'),
  },
  { requiredKeys: ['allowOrigins'] },
)
const destinations = fc.oneof(
  fc.constantFrom('app', 'other', 'down').map((host) => [{ destination: { host, port: { number: 80 } } }]),
  fc.tuple(headers, headers).map(([one, two]) => [
    { destination: { host: 'app', port: { number: 80 } }, weight: 100, headers: one },
    { destination: { host: 'other', port: { number: 80 } }, weight: 0, headers: two },
  ]),
  headers.map((one) => [{ destination: { host: 'other', port: { number: 80 } }, headers: one }]),
)
const fault = fc.constantFrom(
  { abort: { httpStatus: 418, percentage: { value: 100 } } },
  { abort: { httpStatus: 500, percentage: { value: 0 } } },
)
const sometimes = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: undefined, freq: 3 })
const forwards = fc
  .record({
    route: destinations,
    rewrite: fc.option(rewrite, { nil: undefined }),
    headers: sometimes(headers),
    corsPolicy: sometimes(cors),
    fault: fc.option(fault, { nil: undefined, freq: 8 }),
    timeout: sometimes(fc.constantFrom('5s', '9.5s')),
    retries: sometimes(
      fc.constantFrom({ attempts: 0 }, { attempts: 1, retryOn: '5xx' }, { attempts: 2, perTryTimeout: '2s' }),
    ),
  })
  .map(defined)
const redirects = fc
  .record({
    redirect: fc.record(
      {
        uri: fc.constantFrom('/new', '/new?x=1', 'new', ''),
        // with a port of its own beside `port` Envoy writes both (`new.example:81:443`), and we one
        authority: fc.constant('new.example'),
        scheme: fc.constantFrom('http', 'https'),
        port: fc.constantFrom(80, 443, 81),
        redirectCode: fc.constantFrom(301, 302, 303, 307, 308),
      },
      { requiredKeys: ['uri'] },
    ),
    headers: sometimes(headers),
  })
  .map(defined)
const otherRedirects = fc
  .constantFrom<object>(
    ...[{ prefixRewrite: '/p' }, { prefixRewrite: '/p/', authority: 'new.example' }, { scheme: 'https' }],
    ...[
      { derivePort: 'FROM_REQUEST_PORT', scheme: 'https' },
      { derivePort: 'FROM_PROTOCOL_DEFAULT', uri: '/n' },
    ],
    ...[{ authority: 'new.example' }, { port: 81 }, { port: 443, scheme: 'https' }],
  )
  .map((redirect) => ({ redirect }))
const answers = fc
  .record({
    directResponse: fc.record({
      status: fc.constantFrom(200, 201, 301, 404, 503),
      body: fc.constantFrom({ string: 'own' }, { bytes: 'b3du' }, { string: '' }),
    }),
    headers: sometimes(headers),
  })
  .map(defined)

const action = fc.oneof({ weight: 4, arbitrary: forwards }, redirects, otherRedirects, answers)
const entry = fc
  .tuple(fc.array(match, { maxLength: 2 }), action)
  .map(([matches, done]) => (matches.length === 0 ? done : { match: matches, ...done }))
const delegation = fc
  .record({
    match: fc.array(match, { maxLength: 2 }),
    rewrite: sometimes(rewrite),
    headers: sometimes(headers),
    delegate: fc.constantFrom({ name: 'd' }, { name: 'e', namespace: 'apps' }, { name: 'nobody' }),
  })
  .map(({ match: matches, ...rest }) => defined(matches.length === 0 ? rest : { match: matches, ...rest }))

function defined(fields: object): object {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined))
}

const hosts = fc.constantFrom(['*'], ['*'], ['a.com'], ['*.a.com'], ['b.com', 'a.com'], ['*.com'], ['x.a.com', 'c.org'])
const services = fc.uniqueArray(
  fc.record({
    name: fc.constantFrom('p', 'q', 'r'),
    hosts,
    http: fc.array(fc.oneof({ weight: 6, arbitrary: entry }, { weight: 1, arbitrary: delegation }), {
      minLength: 1,
      maxLength: 4,
    }),
    year: fc.constantFrom(2023, 2024),
  }),
  { minLength: 1, maxLength: 3, selector: ({ name }) => name },
)
const delegates = fc.uniqueArray(
  fc.record({ name: fc.constantFrom('d', 'e'), http: fc.array(entry, { minLength: 1, maxLength: 3 }) }),
  { maxLength: 2, selector: ({ name }) => name },
)

function virtualService(name: string, spec: object, year = 2023) {
  const metadata = { name, namespace: 'apps', creationTimestamp: `${year}-01-01T00:00:00Z` }
  return { apiVersion: 'networking.istio.io/v1', kind: 'VirtualService', metadata, spec }
}

/** Istio takes claims only where a gateway is named, which a delegate does not. */
function withoutClaims(http: readonly object[]): unknown {
  const isClaim = (value: unknown) => JSON.stringify(value).includes('@request.auth')
  return JSON.parse(JSON.stringify(http), (name, value) => (/eaders$/.test(name) && isClaim(value) ? undefined : value))
}

/** VirtualServices on one gateway, some of which delegate to others. */
export const virtualServices = fc
  .tuple(services, delegates)
  .map(([given, called]) => [
    ...given.map(({ name, hosts: names, http, year }) =>
      virtualService(name, { hosts: names, gateways: ['istio-system/edge'], http }, year),
    ),
    ...called.map(({ name, http }) => virtualService(name, { http: withoutClaims(http) })),
  ])

export const routeRequests: fc.Arbitrary<RandomRequest> = fc.record({
  method: fc.constantFrom('GET', 'GET', 'POST', 'PUT', 'OPTIONS', 'HEAD'),
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
    ...[
      '/b?q=2&q=1',
      '/a//b',
      '/x',
      '/%61',
      '/A',
      '/a%2fb',
      '/a/../b',
      '/a?Q=1',
      '/a?q',
      '/a?q=&r=1',
      '/b/?%71=1',
      '/a?q=1,2',
    ],
    ...['/aa/ab', '/a/b/?', '/a?q=1&&r=2', '/a;b', '//', '/a?x=/a/b', '/a?q=1#q=2'],
  ),
  host: fc.constantFrom(
    'a.com',
    'a.com:80',
    'x.a.com',
    'b.com',
    'c.com',
    'A.com',
    'y.x.a.com',
    'a.com.',
    'c.org',
    '1.2.3.4',
  ),
  from: fc.constant('127.0.0.1'),
  headers: fc.record(
    {
      'x-a': headerTexts,
      'X-B': headerTexts,
      'x-new': fc.constantFrom('client', '1'),
      cookie: fc.constantFrom('1', 'x y', '1; 2'),
      origin: fc.constantFrom('https://a.com', 'https://b.com', 'null', ''),
      'access-control-request-method': fc.constantFrom('GET', 'PUT'),
      'access-control-request-headers': fc.constantFrom('x-a', 'x-z'),
    },
    { requiredKeys: [] },
  ),
})

export const routeWorlds: fc.Arbitrary<RandomWorld> = fc
  .record({ resources: virtualServices, requests: fc.array(routeRequests, { minLength: 16, maxLength: 16 }) })
  .map((world) => ({ mesh: {}, ...world }))
