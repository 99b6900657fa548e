/**
 * Room `proxy`: browser sessions and the per-request authorization check, a drop-in for oauth2-proxy and for Arrikto's
 * oidc-authservice. It knows one OIDC provider and its own cookies; it never forwards a request and never reads Istio
 * policy (the gateway does both).
 */

/** How a key's value is typed (oauth2-proxy pkg/apis/options, viper's weak typing). Durations are Go durations. */
export type ProxyKeyKind = 'string' | 'bool' | 'int' | 'duration' | 'list'

/** One configuration key of oauth2-proxy, or one of our own. */
export interface ProxyKey<Kind extends ProxyKeyKind = ProxyKeyKind> {
  readonly kind: Kind
  /** The original's default, in the spelling of a configuration file. */
  readonly default: string | boolean | number | readonly string[]
  /** Flag name where it is not the key with `-` for `_` and, for lists, without the plural. */
  readonly flag?: string
  /** Why the key is not acted on. `error`: starting without it would be unsafe or plainly broken. */
  readonly ignored?: {
    readonly severity: 'error' | 'warning'
    readonly reason: string
    /** Only where the proxy is a part of a chain; as a program of its own it does act on the key. */
    readonly inChain?: true
  }
  /** A key oauth2-proxy does not have. */
  readonly own?: true
}

type Extra = Pick<ProxyKey, 'flag' | 'ignored' | 'own'>

const text = (value = '', extra: Extra = {}): ProxyKey<'string'> => ({ kind: 'string', default: value, ...extra })
const bool = (value = false, extra: Extra = {}): ProxyKey<'bool'> => ({ kind: 'bool', default: value, ...extra })
const int = (value = 0, extra: Extra = {}): ProxyKey<'int'> => ({ kind: 'int', default: value, ...extra })
const duration = (value: string, extra: Extra = {}): ProxyKey<'duration'> => ({
  kind: 'duration',
  default: value,
  ...extra,
})
const list = (extra: Extra = {}): ProxyKey<'list'> => ({ kind: 'list', default: [], ...extra })

const warned = (reason: string): Extra => ({ ignored: { severity: 'warning', reason } })

const inChain = (severity: 'error' | 'warning', reason: string): Extra => ({
  ignored: { severity, reason, inChain: true },
})
const notForwarded = inChain('warning', 'requests are not forwarded here; the gateway in front forwards them')
const noTls = inChain('error', 'TLS is not terminated here; put the listener behind one that does')
const ownLogs = inChain('warning', 'logs are JSON lines on standard output')
const ownMetrics = inChain('warning', 'metrics are not served')

/** Every key of oauth2-proxy (pkg/apis/options) and our own, in the order of the documentation. */
export const proxyKeys = {
  // Provider
  provider: text('google'),
  provider_display_name: text(),
  client_id: text(),
  client_secret: text(),
  client_secret_file: text(),
  oidc_issuer_url: text(),
  skip_oidc_discovery: bool(),
  login_url: text(),
  redeem_url: text(),
  oidc_jwks_url: text(),
  profile_url: text(),
  validate_url: text(),
  skip_claims_from_profile_url: bool(),
  scope: text(),
  prompt: text(),
  approval_prompt: text('force'),
  acr_values: text(),
  resource: text(),
  auth_request_response_mode: text(),
  code_challenge_method: text(),
  force_code_challenge_method: text(),
  oidc_email_claim: text('email'),
  oidc_groups_claim: text('groups'),
  user_id_claim: text('email'),
  oidc_audience_claims: list(),
  oidc_extra_audiences: list(),
  oidc_public_key_files: list(),
  oidc_enabled_signing_algs: list(),
  insecure_oidc_skip_nonce: bool(true),
  insecure_oidc_allow_unverified_email: bool(),
  insecure_oidc_skip_issuer_verification: bool(),
  allowed_groups: list(),
  allowed_roles: list(),
  backend_logout_url: text(),
  provider_ca_files: list(),
  use_system_trust_store: bool(),
  ssl_insecure_skip_verify: bool(),
  keycloak_groups: list(),
  gitlab_groups: list(),
  gitlab_projects: list(),
  github_users: list(),
  github_org: text(),
  github_team: text(),
  github_repo: text(),
  github_token: text(),
  bitbucket_team: text(),
  bitbucket_repository: text(),
  google_groups: list(),
  google_group: list({ flag: 'google-group' }),
  google_admin_email: text(),
  google_service_account_json: text(),
  google_target_principal: text(),
  google_admin_api_user_scope: text(),
  google_use_application_default_credentials: bool(),
  google_use_organization_id: bool(),
  azure_tenant: text('common'),
  azure_graph_group_field: text(),
  entra_id_allowed_tenants: list(),
  entra_id_federated_token_auth: bool(),
  jwt_key: text(),
  jwt_key_file: text(),
  pubjwk_url: text(),

  // Cookie
  cookie_name: text('_oauth2_proxy'),
  cookie_secret: text(),
  cookie_secret_file: text(),
  cookie_domains: list(),
  cookie_path: text('/'),
  cookie_expire: duration('168h'),
  cookie_refresh: duration('0'),
  cookie_secure: bool(true),
  cookie_httponly: bool(true),
  cookie_samesite: text(),
  cookie_csrf_samesite: text(),
  cookie_csrf_per_request: bool(),
  cookie_csrf_per_request_limit: int(),
  cookie_csrf_expire: duration('15m'),

  // Session
  session_store_type: text('cookie'),
  session_cookie_minimal: bool(),
  redis_connection_url: text(),
  redis_username: text(),
  redis_password: text(),
  redis_use_sentinel: bool(),
  redis_use_cluster: bool(),
  redis_sentinel_master_name: text(),
  redis_sentinel_password: text(),
  redis_sentinel_connection_urls: list({ flag: 'redis-sentinel-connection-urls' }),
  redis_cluster_connection_urls: list({ flag: 'redis-cluster-connection-urls' }),
  redis_ca_path: text(),
  redis_insecure_skip_tls_verify: bool(),
  redis_connection_idle_timeout: int(),

  // Headers to the upstream
  pass_user_headers: bool(true, notForwarded),
  pass_basic_auth: bool(true, notForwarded),
  basic_auth_password: text('', notForwarded),
  pass_access_token: bool(),
  pass_authorization_header: bool(false, notForwarded),
  prefer_email_to_user: bool(false, notForwarded),
  skip_auth_strip_headers: bool(true, inChain('warning', 'identity headers sent by a client are always stripped')),

  // Headers of the answer
  set_xauthrequest: bool(),
  set_authorization_header: bool(),
  set_basic_auth: bool(),

  // Routes
  skip_auth_routes: list(),
  skip_auth_regex: list({ flag: 'skip-auth-regex' }),
  api_routes: list(),
  skip_auth_preflight: bool(),
  trusted_ips: list(),
  skip_provider_button: bool(),
  force_json_errors: bool(),
  encode_state: bool(),
  allow_query_semicolons: bool(false, warned('a `;` is always an ordinary character')),
  proxy_prefix: text('/oauth2'),

  // Redirects
  redirect_url: text(),
  relative_redirect_url: bool(),
  whitelist_domains: list(),

  // Who may sign in
  email_domains: list(),
  authenticated_emails_file: text(),
  htpasswd_file: text(),
  htpasswd_user_groups: list(),

  // Bearer tokens
  skip_jwt_bearer_tokens: bool(),
  extra_jwt_issuers: list({ flag: 'extra-jwt-issuers' }),
  bearer_token_login_fallback: bool(true),

  // Upstream
  upstreams: list(),
  upstream_timeout: duration('30s', notForwarded),
  flush_interval: duration('1s', notForwarded),
  pass_host_header: bool(true, notForwarded),
  proxy_websockets: bool(true, notForwarded),
  ssl_upstream_insecure_skip_verify: bool(false, notForwarded),
  disable_keep_alives: bool(false, notForwarded),

  // Server
  http_address: text('127.0.0.1:4180'),
  https_address: text(':443'),
  tls_cert_file: text('', noTls),
  tls_key_file: text('', noTls),
  tls_min_version: text('', noTls),
  tls_cipher_suites: list(noTls),
  force_https: bool(false, noTls),
  reverse_proxy: bool(),
  trusted_proxy_ips: list(),
  real_client_ip_header: text('X-Real-IP'),
  signature_key: text('', notForwarded),

  // Logging
  standard_logging: bool(true, ownLogs),
  auth_logging: bool(true, ownLogs),
  request_logging: bool(true, ownLogs),
  standard_logging_format: text('', ownLogs),
  auth_logging_format: text('', ownLogs),
  request_logging_format: text('', ownLogs),
  exclude_logging_paths: list(ownLogs),
  silence_ping_logging: bool(),
  errors_to_info_log: bool(false, ownLogs),
  logging_local_time: bool(true, ownLogs),
  request_id_header: text('X-Request-Id'),
  logging_filename: text('', ownLogs),
  logging_max_size: int(100, ownLogs),
  logging_max_age: int(7, ownLogs),
  logging_max_backups: int(0, ownLogs),
  logging_compress: bool(false, ownLogs),

  // Metrics and probes
  metrics_address: text('', ownMetrics),
  metrics_secure_address: text('', ownMetrics),
  metrics_tls_cert_file: text('', ownMetrics),
  metrics_tls_key_file: text('', ownMetrics),
  ping_path: text('/ping'),
  ready_path: text('/ready'),
  ping_user_agent: text(),
  gcp_healthchecks: bool(false, inChain('warning', 'probe ping_path')),

  // Pages
  custom_templates_dir: text(
    '',
    warned('only its robots.txt is read, no Go template; use custom_sign_in_logo, banner and footer'),
  ),
  custom_sign_in_logo: text(),
  banner: text(),
  footer: text(),
  display_htpasswd_form: bool(true),
  show_debug_on_error: bool(false, warned('error pages carry the request id; the details are in the log')),

  // Our own
  post_logout_redirect_url: text('', { own: true }),
  end_session_url: text('', { own: true }),
  compat: bool(false, { own: true }),
  database_file: text('', { own: true, ...inChain('warning', 'sessions are kept in the database of the chain') }),
  grpc_address: text('', { own: true }),
  ext_authz_path_prefix: text('', {
    own: true,
    ...inChain('warning', 'the gateway of the chain asks at the original path'),
  }),
  kubernetes_token_audiences: list({ own: true }),
  kubernetes_token_review: bool(true, { own: true }),
  kubernetes_api_url: text('https://kubernetes.default.svc', { own: true }),
  kubernetes_token_file: text('/var/run/secrets/kubernetes.io/serviceaccount/token', { own: true }),
  kubernetes_ca_file: text('/var/run/secrets/kubernetes.io/serviceaccount/ca.crt', { own: true }),
} as const satisfies Readonly<Record<string, ProxyKey>>

/** The name of a key. */
export type ProxyKeyName = keyof typeof proxyKeys

// The keys of an object literal are exactly its type's.
/** All names, in order. */
export const proxyKeyNames = Object.keys(proxyKeys) as readonly ProxyKeyName[]

/** The flag that sets a key: `--cookie-name`, `--email-domain`. */
export function flagOf(name: ProxyKeyName): string {
  const key: ProxyKey = proxyKeys[name]
  if (key.flag !== undefined) return `--${key.flag}`
  const spelled = name.replaceAll('_', '-')
  return `--${key.kind === 'list' ? spelled.replace(/s$/, '') : spelled}`
}

/** The environment variable that sets a key: `OAUTH2_PROXY_EMAIL_DOMAINS`. */
export function environmentNameOf(name: ProxyKeyName): string {
  return `OAUTH2_PROXY_${name.toUpperCase()}`
}
