import fc from 'fast-check'

/** Policies and requests from small alphabets, so that they often meet. */
export interface RandomWorld {
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
  ...['/{*}', '/a/{*}', '/a/{**}', '/{**}/b', '/{*}/b/{**}', '/a/{**}/b', '/{**}'],
)
const hostPatterns = fc.constantFrom('a.com', '*.a.com', 'a.*', '*', 'b.com', 'A.COM', 'a.com:*', '*:80', '*com')
const methodPatterns = fc.constantFrom('GET', 'POST', 'P*', '*T', '*', 'get', 'HEAD')
const textPatterns = fc.constantFrom('1', '1*', '*1', '*', '1,2', '2', '*1*', '**')
const ranges = fc.constantFrom(
  '127.0.0.1',
  '127.0.0.2/31',
  '127.0.0.0/8',
  '10.0.0.0/8',
  '11.0.0.1',
  '::1',
  '::/0',
  '0.0.0.0/0',
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
)
const claimPatterns = fc.constantFrom(
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
  ...['[object][k]', '[whole]', '[yes]', '[empty]', '[nothing]', '[list]', '[numbers]', '[missing]', '[sub]'],
)

const listOf = (values: fc.Arbitrary<string>) => fc.uniqueArray(values, { minLength: 1, maxLength: 3 })

/** An object with some of the fields, at least one. */
function someOf(fields: Readonly<Record<string, fc.Arbitrary<string>>>) {
  const all = Object.entries(fields).flatMap(([name, values]) => [
    [name, listOf(values)] as const,
    [`not${name.charAt(0).toUpperCase()}${name.slice(1)}`, listOf(values)] as const,
  ])
  return fc
    .uniqueArray(fc.nat(all.length - 1), { minLength: 1, maxLength: 2 })
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
  condition(fc.constantFrom('request.headers[x-a]', 'request.headers[X-B]'), textPatterns),
  condition(fc.constantFrom('source.ip', 'remote.ip'), ranges),
  condition(fc.constant('destination.port'), fc.constantFrom('PORT', '1')),
)
const late = fc.oneof(
  condition(
    claimKeys.map((key) => `request.auth.claims${key}`),
    claimPatterns,
  ),
  condition(fc.constant('request.auth.audiences'), claimPatterns),
  condition(fc.constant('request.auth.principal'), principalPatterns),
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
  { ...addressed, requestPrincipals: principalPatterns, principals: fc.constantFrom('*', 'cluster.local/ns/a/sa/b') },
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
    { weight: 1, arbitrary: customPolicy },
    { weight: 1, arbitrary: auditPolicy },
  ),
  { maxLength: 4, selector: ({ metadata }) => metadata.name },
)

const paths = fc.constantFrom(
  ...['/', '/a', '/a/b', '/a/b/c', '/b', '/a//b', '/A', '/a/', '/ab', '/a%2fb', '/a%2Fb', '/a/./b', '/a/../b', '//a'],
  ...['/a;b', '/b/a/', '/%61', '/a\\b', '/a?x=/b', '/a/b?x=1', '/x*y', '/*', '/a*', '/a*b', '/a/%2e%2e/b', '/a%5cb'],
  ...['/a%5Cb', '/%2e', '/a/..', '/..', '/a%252fb', '/a/%', '/a/b#c', '/%c3%a4', '/a|b', '/a/"b"', '/a/b/', '/a/x/b'],
)

export const requests: fc.Arbitrary<RandomRequest> = fc
  .record({
    method: fc.constantFrom('GET', 'GET', 'POST', 'PUT', 'HEAD', 'OPTIONS'),
    path: paths,
    host: fc.constantFrom('a.com', 'a.com', 'A.com', 'x.a.com', 'a.com:80', 'a.com.', 'b.com', '1.2.3.4'),
    from: fc.constantFrom('127.0.0.1', '127.0.0.2', '127.0.0.3'),
    token: fc.constantFrom(
      ...[
        undefined,
        undefined,
        'issuer-1',
        'issuer-1-auds',
        'issuer-1-kinds',
        'issuer-2',
        'issuer-2-scope',
        'issuer-3',
      ],
      ...['issuer-1-no-sub', 'issuer-1-empty-sub', 'issuer-1-nested-1', 'issuer-1-expired', 'no-dots', 'issuer-4'],
    ),
    headers: fc.record(
      {
        'x-a': fc.constantFrom('', '1', '12', '21', '2', ['1', '2']),
        'X-B': fc.constantFrom('1', '2'),
        'x-ext-authz': fc.constantFrom('allow', 'deny'),
        'x-forwarded-for': fc.constantFrom('10.0.0.1', '127.0.0.2, 10.0.0.1', '10.0.0.1,11.0.0.1', '::1', 'junk'),
        'x-user': fc.constant('forged'),
      },
      { requiredKeys: [] },
    ),
  })
  .map(({ token, ...rest }) => (token === undefined ? rest : { ...rest, token }))

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
