/** Istio resources → an Envoy bootstrap with the filter chain istiod gives a gateway (HCM → CUSTOM → JWT → RBAC → router). */
import type { GatewayConfig } from '../../src/gateway/config.ts'
import type { ExtensionProvider } from '../../src/gateway/mesh-config.ts'
import { type CustomRules, selectPolicies } from '../../src/policy/policy-set.ts'
import { type JwtRule, mergeJwtRules } from '../../src/policy/request-authentication.ts'
import type { Apps } from '../corpus/apps.ts'
import { rbacRules } from './envoy-rbac.ts'

type Json = { readonly [name: string]: unknown }

/** One gateway to be: a listener of its own. */
export interface EnvoyListener {
  readonly port: number
  readonly config: GatewayConfig
  readonly severalProviders: boolean
}

/** A bootstrap with a listener for every gateway. */
export function envoyBootstrap(
  listeners: readonly EnvoyListener[],
  apps: Pick<Apps, 'appPort' | 'providerPort'>,
  adminPort: number,
): Json {
  return {
    admin: { address: address(adminPort) },
    layered_runtime: { layers: [{ name: 'istio', static_layer: runtime }] },
    static_resources: {
      listeners: listeners.map(listener),
      clusters: [cluster('app', apps.appPort), cluster('provider', apps.providerPort)],
    },
  }
}

/** What istiod's bootstrap sets. */
const runtime = { 'envoy.reloadable_features.http_reject_path_with_fragment': false }

function cluster(name: string, port: number): Json {
  return {
    name,
    type: 'STATIC',
    connect_timeout: '5s',
    load_assignment: {
      cluster_name: name,
      endpoints: [{ lb_endpoints: [{ endpoint: { address: address(port) } }] }],
    },
  }
}

function address(port: number): Json {
  return { socket_address: { address: '127.0.0.1', port_value: port } }
}

function listener({ port, config, severalProviders }: EnvoyListener): Json {
  const { pathNormalisation, numTrustedProxies } = config.meshConfig
  const merges = pathNormalisation === 'MERGE_SLASHES' || pathNormalisation === 'DECODE_AND_MERGE_SLASHES'
  const manager = {
    '@type': `${extensions}.filters.network.http_connection_manager.v3.HttpConnectionManager`,
    stat_prefix: `gateway_${port}`,
    server_name: 'istio-envoy',
    use_remote_address: true,
    xff_num_trusted_hops: numTrustedProxies,
    forward_client_cert_details: 'SANITIZE_SET',
    normalize_path: pathNormalisation !== 'NONE',
    merge_slashes: merges,
    path_with_escaped_slashes_action:
      pathNormalisation === 'DECODE_AND_MERGE_SLASHES' ? 'UNESCAPE_AND_FORWARD' : 'KEEP_UNCHANGED',
    upgrade_configs: [{ upgrade_type: 'websocket' }],
    stream_idle_timeout: '0s',
    route_config: routes(),
    http_filters: filters(config, severalProviders),
  }
  return {
    name: `listener_${port}`,
    address: address(port),
    enable_reuse_port: false,
    filter_chains: [{ filters: [{ name: 'envoy.filters.network.http_connection_manager', typed_config: manager }] }],
  }
}

const extensions = 'type.googleapis.com/envoy.extensions'

function routes(): Json {
  const route = { match: { prefix: '/' }, route: { cluster: 'app', timeout: '0s' } }
  return {
    ignore_port_in_host_matching: true,
    virtual_hosts: [{ name: 'all', domains: ['*'], include_request_attempt_count: true, routes: [route] }],
  }
}

function filters(config: GatewayConfig, severalProviders: boolean): readonly Json[] {
  const { workload, meshConfig } = config
  const policies = selectPolicies(config.authorizationPolicies, {
    workload,
    rootNamespace: meshConfig.rootNamespace,
    providers: new Set(meshConfig.extensionProviders.map(({ name }) => name)),
    allowsSeveralProviders: severalProviders,
  })
  const jwtRules = mergeJwtRules(config.requestAuthentications, workload, meshConfig.rootNamespace)
  const enforced = (action: 'ALLOW' | 'DENY' | 'LOG', rules: Parameters<typeof rbacRules>[1], isThere: boolean) =>
    isThere ? [rbac({ rules: rbacRules(action, rules) })] : []
  return [
    ...policies.custom.flatMap((custom) => customFilters(custom, meshConfig.extensionProviders)),
    ...(jwtRules.length === 0 ? [] : [jwtAuthentication(jwtRules)]),
    ...enforced('LOG', policies.audit, policies.audit.length > 0),
    ...enforced('DENY', policies.deny, policies.deny.length > 0),
    ...enforced('ALLOW', policies.allow, policies.hasAllow),
    { name: 'envoy.filters.http.router', typed_config: { '@type': `${extensions}.filters.http.router.v3.Router` } },
  ]
}

function rbac(members: Json): Json {
  const typed_config = { '@type': `${extensions}.filters.http.rbac.v3.RBAC`, ...members }
  return { name: 'envoy.filters.http.rbac', typed_config }
}

function customFilters({ provider, canAsk, rules }: CustomRules, known: readonly ExtensionProvider[]): readonly Json[] {
  const described = known.find(({ name }) => name === provider)
  if (!canAsk || !described) return [rbac({ rules: rbacRules('DENY', rules) })]
  const shadow = { shadow_rules: rbacRules('DENY', rules), shadow_rules_stat_prefix: 'istio_ext_authz_' }
  return [rbac(shadow), externalAuthorisation(described)]
}

function externalAuthorisation(provider: ExtensionProvider): Json {
  const additional = Object.entries(provider.includeAdditionalHeadersInCheck)
  const typed_config = {
    '@type': `${extensions}.filters.http.ext_authz.v3.ExtAuthz`,
    transport_api_version: 'V3',
    failure_mode_allow: provider.failOpen,
    status_on_error: { code: provider.statusOnError },
    ...namePatterns('allowed_headers', provider.includeRequestHeadersInCheck),
    http_service: {
      server_uri: { uri: `http://${provider.service}`, cluster: 'provider', timeout: '10s' },
      path_prefix: provider.pathPrefix,
      authorization_request: { headers_to_add: additional.map(([key, value]) => ({ key, value })) },
      authorization_response: {
        ...namePatterns('allowed_upstream_headers', provider.headersToUpstreamOnAllow),
        ...namePatterns('allowed_client_headers_on_success', provider.headersToDownstreamOnAllow),
        ...namePatterns('allowed_client_headers', provider.headersToDownstreamOnDeny),
      },
    },
    filter_enabled_metadata: {
      filter: 'envoy.filters.http.rbac',
      path: [{ key: 'istio_ext_authz_shadow_effective_policy_id' }],
      value: { string_match: { prefix: `istio-ext-authz-${provider.name}` } },
    },
  }
  return { name: 'envoy.filters.http.ext_authz', typed_config }
}

function namePatterns(member: string, names: readonly string[]): Json {
  const pattern = (name: string) => {
    if (name.startsWith('*')) return { suffix: name.slice(1), ignore_case: true }
    if (name.endsWith('*')) return { prefix: name.slice(0, -1), ignore_case: true }
    return { exact: name, ignore_case: true }
  }
  return names.length === 0 ? {} : { [member]: { patterns: names.map(pattern) } }
}

function jwtAuthentication(rules: readonly JwtRule[]): Json {
  const names = rules.map((_, index) => `origins-${index}`)
  const alone = (name: string) => ({ provider_name: name })
  const optional = (name: string) => ({
    requires_any: { requirements: [alone(name), { allow_missing: {} }] },
  })
  const [only = ''] = names
  const requirement =
    names.length === 1
      ? optional(only)
      : {
          requires_any: {
            requirements: [...names.map(alone), { requires_all: { requirements: names.map(optional) } }],
          },
        }
  const typed_config = {
    '@type': `${extensions}.filters.http.jwt_authn.v3.JwtAuthentication`,
    providers: Object.fromEntries(rules.map((rule, index) => [`origins-${index}`, jwtProvider(rule)])),
    rules: [{ match: { prefix: '/' }, requires: requirement }],
    bypass_cors_preflight: true,
  }
  return { name: 'envoy.filters.http.jwt_authn', typed_config }
}

function jwtProvider(rule: JwtRule): Json {
  return {
    issuer: rule.issuer,
    audiences: rule.audiences,
    local_jwks: { inline_string: JSON.stringify(rule.jwks) },
    from_headers: rule.fromHeaders.map(({ name, prefix }) => ({ name, value_prefix: prefix })),
    from_params: rule.fromParams,
    from_cookies: rule.fromCookies,
    forward: rule.forwardOriginalToken,
    payload_in_metadata: 'payload',
    normalize_payload_in_metadata: {
      space_delimited_claims: ['scope', 'permission', ...rule.spaceDelimitedClaims],
    },
    claim_to_headers: rule.outputClaimToHeaders.map(({ header, claim }) => ({
      header_name: header,
      claim_name: claim,
    })),
    ...(rule.outputPayloadToHeader === undefined ? {} : { forward_payload_header: rule.outputPayloadToHeader }),
  }
}
