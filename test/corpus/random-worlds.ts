import fc from 'fast-check'
import { randomRequests } from './random-requests.ts'

/** Policies and requests from small alphabets, so that they often meet. */
export interface RandomWorld {
  readonly severalProviders?: boolean
  readonly mesh: Readonly<Record<string, unknown>>
  readonly resources: readonly Readonly<Record<string, unknown>>[]
  readonly requests: readonly RandomRequest[]
}

export interface RandomRequest {
  readonly method: string
  readonly path: string
  readonly host: string
  readonly headers: Readonly<Record<string, string | string[]>>
  readonly token?: string
  readonly from: string
}

const pathPatterns = fc.constantFrom(
  ...['/', '/a', '/a/b', '/a/*', '/a*', '*', '*b', '*/b', '/b', '/*', '**', '/a/**', '*a*', '/A', '/a%2fb', '/a*b'],
  ...[
    '/{*}',
    '/a/{*}',
    '/a/{**}',
    '/{**}/b',
    '/{*}/b/{**}',
    '/a/{**}/b',
    '/{**}',
    '/{*}/{*}',
    '/a/{*}/{**}/',
    '/{*}/b',
  ],
  ...['/{*}/', '/a/{**}/b/', '/a;b', '*;b', '/a b', '*%2fb', '*%2Fb', '/a/./b', '/a/..*', '/a//b', '//*', 'a', '*?*'],
  ...['/a?x=/b', '*#*', '/%61', '/a\\b', '*%5cb', '/%c3%a4', '*"*', '*.txt', '/a/b/c', '*/', '/a=1/{*}'],
)
const hostPatterns = fc.constantFrom(
  ...['a.com', '*.a.com', 'a.*', '*', 'b.com', 'A.COM', 'a.com:*', '*:80', '*com', '*.COM', 'a.com.', '*.', 'x.a.com'],
  ...['1.2.3.4', '[::1]', '*]', '[*', 'a.com:80', '*:*', '**', 'X.*'],
)
const methodPatterns = fc.constantFrom('GET', 'POST', 'P*', '*T', '*', 'get', 'HEAD', 'OPTIONS', 'PATCH', '**', 'G*T')
const textPatterns = fc.constantFrom(
  '1',
  '1*',
  '*1',
  '*',
  '1,2',
  '2',
  '*1*',
  '**',
  '1, 2',
  '*,*',
  ',*',
  '*2',
  'A',
  'a*',
)
const ranges = fc.constantFrom(
  ...['127.0.0.1', '127.0.0.2/31', '127.0.0.0/8', '10.0.0.0/8', '11.0.0.1', '::1', '::/0', '0.0.0.0/0', '10.0.0.77/8'],
  ...[
    '127.0.0.3/0',
    '2001:db8::/32',
    '2001:db8::1',
    '::ffff:10.0.0.1',
    '::ffff:0:0/96',
    '2001:DB8:0::1/127',
    '10.0.0.1/32',
  ],
)
const principalPatterns = fc.constantFrom(
  ...['*', '*/*', '*/sub-1', '*sub-2', '*sub-1', 'issuer*', 'issuer-1@example.com', '*@example.com', '*com/sub-1'],
  ...['issuer-1@example.com/sub-1', 'issuer-1@example.com/*', 'issuer-1@example.com/s*', 'issuer-2@example.com/*'],
  ...[
    'https://issuer-3.example.com/realms/x/sub-3',
    'https://*',
    'https://issuer-3.example.com/realms/x/*',
    '*x/sub-3',
  ],
  ...[
    'issuer-1@example.com/a/b',
    '*/b',
    '/',
    '/sub-1',
    '/*',
    '*/',
    'issuer-1@example.com/',
    '**',
    '*/s*',
    '*/*b',
    'i*/sub-1',
  ],
)
const claimPatterns = fc.constantFrom(
  ...[
    '*',
    'group-1',
    'group*',
    '*-2',
    'foo',
    'valueA',
    'value*',
    'read',
    'true',
    '42',
    'v',
    'd',
    'admin',
    'read write',
  ],
  ...['bar', 'b', 'a*', '*r', 'plain', '**', 'sub-1', 'user', '1', 'group-3'],
)
const claimKeys = fc.constantFrom(
  ...[
    '[groups]',
    '[aud]',
    '[scope]',
    '[permission]',
    '[nested][key1]',
    '[nested][nested-2][key2]',
    '[nested]',
    '[iss]',
  ],
  ...[
    '[object][k]',
    '[whole]',
    '[yes]',
    '[empty]',
    '[nothing]',
    '[list]',
    '[numbers]',
    '[missing]',
    '[sub]',
    '[a.b][c]',
  ],
  ...[
    '[test-issuer-1@istio.io/role.name]',
    '[custom_scope]',
    '[text]',
    '[azp]',
    '[groups][0]',
    '[text][x]',
    '[exp]',
    '[a]',
  ],
)
const meshIdentities = fc.constantFrom('*', 'cluster.local/ns/a/sa/b', 'a*', '*b', 'a')

const listOf = (values: fc.Arbitrary<string>) => fc.uniqueArray(values, { minLength: 1, maxLength: 3 })

/** An object with some of the fields, at least one. */
function someOf(fields: Readonly<Record<string, fc.Arbitrary<string>>>) {
  const all = Object.entries(fields).flatMap(([name, values]) => [
    [name, listOf(values)] as const,
    [`not${name.charAt(0).toUpperCase()}${name.slice(1)}`, listOf(values)] as const,
  ])
  return fc
    .uniqueArray(fc.nat(all.length - 1), { minLength: 1, maxLength: 3 })
    .chain((picked) => fc.record(Object.fromEntries(picked.flatMap((at) => (all[at] ? [all[at]] : [])))))
}

const addressed = { ipBlocks: ranges, remoteIpBlocks: ranges }
const operation = someOf({
  paths: pathPatterns,
  hosts: hostPatterns,
  methods: methodPatterns,
  ports: fc.constantFrom('PORT', '1'),
}).map((fields) => ({ operation: fields }))

const condition = (key: fc.Arbitrary<string>, values: fc.Arbitrary<string>) =>
  fc
    .record({ key, values: fc.option(listOf(values)), notValues: fc.option(listOf(values)) })
    .filter(({ values: some, notValues }) => some !== null || notValues !== null)
    .map(({ key: name, values: some, notValues }) => ({
      key: name,
      ...(some === null ? {} : { values: some }),
      ...(notValues === null ? {} : { notValues }),
    }))

const early = fc.oneof(
  condition(fc.constantFrom('request.headers[x-a]', 'request.headers[X-B]', 'request.headers[x-user]'), textPatterns),
  condition(fc.constant('request.headers[:path]'), pathPatterns),
  condition(fc.constantFrom('request.headers[:authority]', 'request.headers[host]'), hostPatterns),
  condition(fc.constant('request.headers[:method]'), methodPatterns),
  condition(fc.constantFrom('source.ip', 'remote.ip'), ranges),
  condition(fc.constant('destination.ip'), fc.constantFrom('127.0.0.1', '127.0.0.0/24', '10.0.0.0/8', '::/0')),
  condition(fc.constant('destination.port'), fc.constantFrom('PORT', '1')),
  condition(fc.constant('connection.sni'), fc.constantFrom('a.com', '*.com', '*')),
)
const late = fc.oneof(
  condition(
    claimKeys.map((key) => `request.auth.claims${key}`),
    claimPatterns,
  ),
  condition(fc.constantFrom('request.auth.audiences', 'request.auth.presenter'), claimPatterns),
  condition(fc.constant('request.auth.principal'), principalPatterns),
  condition(fc.constantFrom('source.principal', 'source.namespace', 'source.trustDomain'), meshIdentities),
)

function ruleOf(sources: Readonly<Record<string, fc.Arbitrary<string>>>, when: fc.Arbitrary<unknown>) {
  const source = someOf(sources).map((fields) => ({ source: fields }))
  return fc.record(
    {
      from: fc.array(source, { minLength: 1, maxLength: 2 }),
      to: fc.array(operation, { minLength: 1, maxLength: 2 }),
      when: fc.array(when, { minLength: 1, maxLength: 2 }),
    },
    { requiredKeys: [] },
  )
}

const customRule = ruleOf(addressed, early)
const plainRule = ruleOf(
  {
    ...addressed,
    requestPrincipals: principalPatterns,
    principals: meshIdentities,
    namespaces: meshIdentities,
    trustDomains: fc.constantFrom('*', 'cluster.local', 'a*', '*b'),
  },
  fc.oneof(early, late),
)

const names = fc.constantFrom('p', 'q', 'r', 's')
const policyOf = (action: string, rule: fc.Arbitrary<unknown>, more: object = {}) =>
  fc.record({ name: names, rules: fc.array(rule, { minLength: 1, maxLength: 3 }) }).map(({ name, rules }) => ({
    apiVersion: 'security.istio.io/v1',
    kind: 'AuthorizationPolicy',
    metadata: { name: `${action.toLowerCase()}-${name}`, namespace: 'istio-system' },
    spec: { action, rules, ...more },
  }))

export const allowPolicy = policyOf('ALLOW', plainRule)
export const denyPolicy = policyOf('DENY', plainRule)
export const auditPolicy = policyOf('AUDIT', plainRule)
export const customPolicy = policyOf('CUSTOM', customRule, { provider: { name: 'auth' } })

const authentication = {
  apiVersion: 'security.istio.io/v1',
  kind: 'RequestAuthentication',
  metadata: { name: 'jwt', namespace: 'istio-system' },
  spec: {
    jwtRules: [
      { issuer: 'issuer-1@example.com', jwks: 'KEYS', outputClaimToHeaders: [{ header: 'x-user', claim: 'sub' }] },
      { issuer: 'issuer-2@example.com', jwks: 'KEYS', forwardOriginalToken: true },
      { issuer: 'https://issuer-3.example.com/realms/x', jwks: 'KEYS' },
    ],
  },
}

export const meshes = fc
  .record({
    normalization: fc.constantFrom('DEFAULT', 'DEFAULT', 'NONE', 'BASE', 'MERGE_SLASHES', 'DECODE_AND_MERGE_SLASHES'),
    numTrustedProxies: fc.constantFrom(0, 1, 2),
  })
  .map(({ normalization, numTrustedProxies }) => ({
    pathNormalization: { normalization },
    defaultConfig: { gatewayTopology: { numTrustedProxies } },
    extensionProviders: [
      {
        name: 'auth',
        envoyExtAuthzHttp: {
          service: 'auth.auth.svc.cluster.local',
          port: 8000,
          includeRequestHeadersInCheck: ['x-ext-authz'],
          headersToUpstreamOnAllow: ['x-ext-authz-check-result'],
        },
      },
    ],
  }))

/** Unique by name, as in a cluster. */
export const policyLists = fc.uniqueArray(
  fc.oneof(
    { weight: 3, arbitrary: allowPolicy },
    { weight: 3, arbitrary: denyPolicy },
    { weight: 2, arbitrary: customPolicy },
    { weight: 1, arbitrary: auditPolicy },
  ),
  { maxLength: 4, selector: ({ metadata }) => metadata.name },
)

export const requests = randomRequests

/** `hasTokens: false` leaves out RequestAuthentication. */
export const worlds: fc.Arbitrary<RandomWorld> = fc
  .record({
    mesh: meshes,
    policies: policyLists,
    hasTokens: fc.constantFrom(true, true, true, false),
    requests: fc.array(requests, { minLength: 16, maxLength: 16 }),
  })
  .map(({ mesh, policies, hasTokens, requests: sent }) => ({
    mesh,
    resources: [...policies, ...(hasTokens ? [authentication] : [])],
    requests: sent,
  }))
