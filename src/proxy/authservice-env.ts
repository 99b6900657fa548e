import { RE2JS } from 're2js'
import { namedSource, type Problems } from '../kit/problems.ts'
import type { AuthserviceSettings } from './authservice.ts'
import { checkProxyConfig } from './config-checks.ts'
import type { ProxyEnvironment } from './options.ts'
import { defaultProxyConfig, type ProxyConfig } from './typed-config.ts'
import { weakValue } from './weak-values.ts'

const isFine = 'fine'
const noServer = 'the listener is configured elsewhere'
const noStore = 'sessions live in an encrypted cookie, so there is no store'
const noTheme = "the pages are Gatehouse's own"

/** Variables that are understood but not acted on, and why; `fine` where nothing is lost. */
const ignoredVariables: Readonly<Record<string, string>> = {
  PORT: 'was never read by oidc-authservice; use SERVER_PORT',
  SELF_URL: 'is not needed',
  DISABLE_USERINFO: 'is not needed: userinfo is asked only for claims the ID token lacks',
  STORE_PATH: noStore,
  OIDC_STATE_STORE_PATH: noStore,
  SESSION_STORE_TYPE: noStore,
  SESSION_STORE_PATH: noStore,
  SESSION_STORE_REDIS_ADDR: noStore,
  SESSION_STORE_REDIS_PWD: noStore,
  SESSION_STORE_REDIS_DB: noStore,
  STRICT_SESSION_VALIDATION: 'sessions end with their tokens, and are not asked for at the provider each time',
  CACHE_ENABLED: isFine,
  CACHE_EXPIRATION_MINUTES: isFine,
  HOMEPAGE_URL: noTheme,
  VERIFY_AUTH_URL: noServer,
  LOG_LEVEL: isFine,
  AUTH_HEADER: 'bearer tokens are looked for in `Authorization`',
  AUTH_METHOD_HEADER: 'is not sent',
  ID_TOKEN_HEADER: 'bearer tokens are looked for in `Authorization`',
  SERVER_HOSTNAME: isFine,
  SERVER_PORT: isFine,
  READINESS_PROBE_PORT: isFine,
  WEB_SERVER_PORT: isFine,
  CA_BUNDLE: 'certificates are checked against the system store; add a CA by NODE_EXTRA_CA_CERTS',
  CLIENT_NAME: noTheme,
  THEMES_URL: noTheme,
  THEME: noTheme,
  TEMPLATE_PATH: noTheme,
  IDTOKEN_AUTHN_ENABLED: isFine,
  KUBERNETES_AUTHN_ENABLED: 'tokens of Kubernetes are verified by signature, not by TokenReview',
  ACCESS_TOKEN_AUTHN_ENABLED: isFine,
  ACCESS_TOKEN_AUTHN: 'access tokens are verified as JWTs',
}

/** The audience Kubeflow's machine clients ask for. */
const defaultAudience = 'istio-ingressgateway.istio-system.svc.cluster.local'

/**
 * Reads oidc-authservice's variables in any of their three generations (of 2020, of Kubeflow 1.7, and the last) as a
 * configuration of the proxy. Its sessions are the proxy's, so it needs a cookie secret, which the original has not.
 * `undefined` when something is wrong; all of it goes to `problems`.
 */
export function parseAuthserviceEnv(
  env: ProxyEnvironment,
  { cookieSecret, problems }: { cookieSecret: string; problems: Problems },
): ProxyConfig | undefined {
  const source = env.source ?? namedSource('environment')
  const value = (name: string, fallback = '') => env.values[name] ?? fallback
  const errorsBefore = problems.list.filter(({ severity }) => severity === 'error').length

  for (const name of ['OIDC_PROVIDER', 'CLIENT_ID', 'CLIENT_SECRET']) {
    if (value(name) === '') problems.error(source, [name], 'is missing', 'oidc-authservice does not start without it')
  }
  if (value('EXTERNAL_AUTHZ_URL') !== '') {
    problems.error(source, ['EXTERNAL_AUTHZ_URL'], 'external authorization is not offered', 'remove it')
  }
  for (const [name, reason] of Object.entries(ignoredVariables)) {
    if (reason !== isFine && value(name) !== '') problems.warn(source, [name], `is not acted on: ${reason}`)
  }
  const settings = parseSettings(value, (name, message, fix) => problems.error(source, [name], message, fix))
  const config = configOf(value, settings, cookieSecret)
  for (const { severity, key, message } of checkProxyConfig(config)) {
    const name = variableOf[key]
    if (severity === 'error' && name !== undefined && value(name) !== '') problems.error(source, [name], message)
  }
  const hasErrors = problems.list.filter(({ severity }) => severity === 'error').length > errorsBefore
  return hasErrors ? undefined : config
}

/** The variable a checked key comes from. */
const variableOf: Readonly<Record<string, string>> = {
  oidc_issuer_url: 'OIDC_PROVIDER',
  redirect_url: 'REDIRECT_URL',
  relative_redirect_url: 'REDIRECT_URL',
  cookie_samesite: 'SESSION_SAME_SITE',
  proxy_prefix: 'AUTHSERVICE_URL_PREFIX',
}

type Lookup = (name: string, fallback?: string) => string

function parseSettings(
  value: Lookup,
  error: (name: string, message: string, fix: string) => void,
): AuthserviceSettings {
  const isFirstGeneration = value('AUTHSERVICE_URL_PREFIX') === '' && value('REDIRECT_URL').endsWith('/login/oidc')
  const prefix = withoutSlash(value('AUTHSERVICE_URL_PREFIX', '/authservice/')) || '/authservice'
  const redirectPath = pathOf(value('REDIRECT_URL'))
  return {
    prefix,
    // The first one listens at a fixed path, whatever an Ambassador prefix makes of the redirect URL outside.
    callbackPath: isFirstGeneration ? '/login/oidc' : redirectPath || `${prefix}/oidc/callback`,
    authorizationUrl: value('OIDC_AUTH_URL') || undefined,
    skipPrefixes: [...value('SKIP_AUTH_URLS').split(','), ...value('SKIP_AUTH_URI').split(' ')]
      .map((entry) => entry.trim())
      .filter((entry) => entry !== ''),
    afterLoginUrl: value('AFTER_LOGIN_URL') || value('STATIC_DESTINATION_URL'),
    afterLogoutUrl: value('AFTER_LOGOUT_URL'),
    userIdHeader: value('USERID_HEADER').toLowerCase() || 'kubeflow-userid',
    userIdPrefix: value('USERID_PREFIX'),
    groupsHeader: value('GROUPS_HEADER').toLowerCase() || 'kubeflow-groups',
    idTokenHeader: isFirstGeneration ? value('USERID_TOKEN_HEADER', 'kubeflow-userid-token').toLowerCase() : undefined,
    userIdTransformers: parseTransformers(value('USERID_TRANSFORMERS'), error),
  }
}

function configOf(value: Lookup, settings: AuthserviceSettings, cookieSecret: string): ProxyConfig {
  const redirectUrl = value('REDIRECT_URL') || settings.callbackPath
  const scopes = value('OIDC_SCOPES', 'openid,email').split(/[\s,]+/)
  const maxAgeSeconds = weakValue('int', value('SESSION_MAX_AGE'))
  const groups = value('GROUPS_ALLOWLIST', '*').split(',')
  return {
    ...defaultProxyConfig,
    provider: 'oidc',
    oidc_issuer_url: value('OIDC_PROVIDER'),
    client_id: value('CLIENT_ID'),
    client_secret: value('CLIENT_SECRET'),
    scope: [...new Set(['openid', ...scopes.filter((scope) => scope !== '')])].join(' '),
    redirect_url: redirectUrl,
    relative_redirect_url: redirectUrl.startsWith('/'),
    proxy_prefix: settings.prefix,
    skip_provider_button: true,
    email_domains: ['*'],
    allowed_groups: groups.includes('*') ? [] : groups.map((group) => group.trim()),
    oidc_email_claim: value('USERID_CLAIM') || 'email',
    oidc_groups_claim: value('GROUPS_CLAIM') || 'groups',
    insecure_oidc_allow_unverified_email: true, // oidc-authservice never looks at `email_verified`
    skip_jwt_bearer_tokens: true,
    oidc_extra_audiences: value('AUDIENCES', defaultAudience).split(','),
    cookie_name: 'authservice_session',
    cookie_secret: cookieSecret,
    cookie_expire: (Number(maxAgeSeconds) || 86_400) * 1000,
    cookie_secure: redirectUrl.startsWith('https:'),
    cookie_samesite: value('SESSION_SAME_SITE').toLowerCase(),
    http_address: `${value('SERVER_HOSTNAME', '0.0.0.0') || '0.0.0.0'}:${value('SERVER_PORT') || '8080'}`,
    authservice: settings,
  }
}

function parseTransformers(
  text: string,
  error: (name: string, message: string, fix: string) => void,
): AuthserviceSettings['userIdTransformers'] {
  if (text === '') return []
  const name = 'USERID_TRANSFORMERS'
  const fix = 'write [{"matches": "REGEX", "replaces": "TEXT"}]'
  try {
    const value: unknown = JSON.parse(text)
    if (!Array.isArray(value)) throw new TypeError('not a list')
    return value.map((entry: { matches?: unknown; replaces?: unknown } | null) => {
      const { matches, replaces } = entry ?? {}
      if (typeof matches !== 'string' || typeof replaces !== 'string') throw new TypeError('an entry lacks a text')
      RE2JS.compile(matches)
      return { matches, replaces }
    })
  } catch (cause) {
    error(name, `cannot be read (${cause instanceof Error ? cause.message : 'unreadable'})`, fix)
    return []
  }
}

function withoutSlash(path: string): string {
  return path.replace(/\/+$/, '')
}

function pathOf(url: string): string {
  return url.startsWith('/') ? url : URL.canParse(url) ? new URL(url).pathname : ''
}
