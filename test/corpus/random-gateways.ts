import fc from 'fast-check'
import { randomRequests } from './random-requests.ts'
import { routeRequests, virtualServices } from './random-routes.ts'
import { authentications, tokenHeaders, tokenQueries } from './random-tokens.ts'
import { meshes, policyLists, type RandomWorld } from './random-worlds.ts'

/** Policies that meet RequestAuthentications of every kind; requests with tokens anywhere. */
export const tokenWorlds: fc.Arbitrary<RandomWorld> = fc
  .record({
    mesh: meshes,
    policies: policyLists,
    tokens: authentications,
    requests: fc.array(
      fc
        .tuple(randomRequests, tokenHeaders, tokenQueries, fc.constantFrom(true, false, false))
        .map(([request, headers, query, isPlain]) => {
          const path =
            request.path.includes('?') || request.path.includes('#') ? request.path : `${request.path}${query}`
          const { token, ...rest } = request
          const both = { ...request.headers, ...headers }
          return isPlain && token !== undefined && !('authorization' in both)
            ? { ...rest, token, path, headers: both }
            : { ...rest, path, headers: both }
        }),
      { minLength: 16, maxLength: 16 },
    ),
  })
  .map(({ mesh, policies, tokens, requests }) => ({ mesh, resources: [...policies, ...tokens], requests }))

const providers = [
  {
    name: 'auth',
    envoyExtAuthzHttp: {
      service: 'auth.auth.svc.cluster.local',
      port: 8000,
      includeRequestHeadersInCheck: ['x-ext-authz*'],
    },
  },
  {
    name: 'more',
    envoyExtAuthzHttp: {
      service: 'auth.auth.svc.cluster.local',
      port: 8000,
      pathPrefix: '/check',
      includeRequestHeadersInCheck: ['X-Ext-Authz', 'x-ext-*', 'x-a'],
      includeAdditionalHeadersInCheck: { 'x-a': 'fixed' },
      headersToUpstreamOnAllow: ['x-ext-authz-*', 'x-user'],
      headersToDownstreamOnAllow: ['x-ext-authz-allowed'],
      headersToDownstreamOnDeny: ['x-ext-authz-check-result', 'Set-Cookie'],
    },
  },
  { name: 'down', envoyExtAuthzHttp: { service: 'down.auth.svc.cluster.local', port: 8000, statusOnError: '503' } },
  { name: 'open', envoyExtAuthzHttp: { service: 'down.auth.svc.cluster.local', port: 8000, failOpen: true } },
]

/** Policies whose CUSTOM rules ask any provider, some of them put on trial, of another namespace or for another workload. */
const variedPolicies = fc
  .tuple(
    policyLists,
    fc.array(
      fc.record({
        provider: fc.constantFrom('auth', 'auth', 'more', 'down', 'open', 'nobody'),
        isDryRun: fc.constantFrom(false, false, false, true),
        spec: fc.constantFrom(
          {},
          {},
          {},
          { selector: { matchLabels: { istio: 'ingressgateway' } } },
          {
            selector: { matchLabels: { app: 'other' } },
          },
        ),
        namespace: fc.constantFrom('istio-system', 'istio-system', 'istio-system', 'apps'),
        rules: fc.constantFrom('as they are', 'as they are', 'as they are', 'none', 'any'),
      }),
      { minLength: 4, maxLength: 4 },
    ),
  )
  .map(([policies, changes]) => policies.map((policy, at) => varied(policy, changes[at])))

function varied(
  {
    metadata,
    spec,
    ...policy
  }: Readonly<{ metadata: { name: string }; spec: { action: string; rules: readonly unknown[] } }>,
  change: { provider: string; isDryRun: boolean; spec: object; namespace: string; rules: string } | undefined,
) {
  if (!change) return { ...policy, metadata, spec }
  const isCustom = spec.action === 'CUSTOM'
  const rules = change.rules === 'any' ? [{}] : change.rules === 'none' && spec.action === 'ALLOW' ? [] : spec.rules
  const annotations =
    change.isDryRun && /ALLOW|DENY/.test(spec.action) ? { annotations: { 'istio.io/dry-run': 'true' } } : {}
  return {
    ...policy,
    metadata: { ...metadata, namespace: change.namespace, ...annotations },
    spec: { ...spec, rules, ...change.spec, ...(isCustom ? { provider: { name: change.provider } } : {}) },
  }
}

const requests = fc
  .tuple(
    fc.oneof(randomRequests, routeRequests),
    tokenHeaders,
    tokenQueries,
    fc.constantFrom('bearer', 'none', 'anywhere', 'bearer'),
    providerHeaders(),
  )
  .map(([{ token, ...request }, headers, query, how, asked]) => {
    const path = how === 'anywhere' && !/[?#]/.test(request.path) ? `${request.path}${query}` : request.path
    const all = { ...request.headers, ...asked, ...(how === 'anywhere' ? headers : {}) }
    return how === 'bearer' && token !== undefined
      ? { ...request, path, token, headers: all }
      : { ...request, path, headers: all }
  })

function providerHeaders() {
  return fc.record(
    {
      'x-ext-authz-status': fc.constantFrom('200', '302', '401', '500', '204'),
      'x-ext-authz': fc.constantFrom('allow', 'allow', 'deny'),
    },
    { requiredKeys: [] },
  )
}

/** Everything at once. */
export const gatewayWorlds: fc.Arbitrary<RandomWorld> = fc
  .record({
    severalProviders: fc.boolean(),
    mesh: meshes,
    policies: variedPolicies,
    tokens: authentications,
    routes: fc.option(virtualServices, { nil: [], freq: 4 }),
    requests: fc.array(requests, { minLength: 16, maxLength: 16 }),
  })
  .map(({ severalProviders, mesh, policies, tokens, routes, requests: sent }) => ({
    severalProviders,
    mesh: { ...mesh, extensionProviders: providers },
    resources: [...policies, ...tokens, ...routes],
    requests: sent,
  }))
