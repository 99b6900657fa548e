import { RE2JS } from 're2js'
import { namedSource, nearestName, type Problems } from '../../kit/problems.ts'
import { checkProxyConfig } from '../config-checks.ts'
import type { ProxyEnvironment } from '../options.ts'
import { defaultProxyConfig, type ProxyConfig } from '../typed-config.ts'
import { weakValue } from '../weak-values.ts'
import type { Complain, Lookup } from './lookup.ts'
import type { AuthenticatorSettings, AuthserviceSettings } from './settings.ts'
import { storeKeys } from './store-keys.ts'
import { authserviceVariables, templateContext, usualAudiences } from './variables.ts'

/** What the variables are read for. */
export interface AuthserviceUse {
  readonly cookieSecret: string
  readonly problems: Problems
  /** A part of a chain (unless told), or a program of its own. */
  readonly use?: 'chain' | 'program'
  /** Whether this program may ask a Kubernetes API server: it has a service account's token. */
  readonly isInCluster?: boolean
}

/**
 * Reads oidc-authservice's variables in any of their three generations (of 2020, of Kubeflow 1.7, and the last) as a
 * configuration of the proxy. Its sessions are the proxy's, so it needs a cookie secret, which the original has not.
 * `undefined` when something is wrong; all of it goes to `problems`.
 */
export function parseAuthserviceEnv(env: ProxyEnvironment, options: AuthserviceUse): ProxyConfig | undefined {
  const { problems, use = 'chain' } = options
  const source = env.source ?? namedSource('environment')
  const value: Lookup = (name, fallback = '') => env.values[name] || fallback
  const error: Complain = (name, message, fix) => problems.error(source, [name], message, fix)
  const warn: Complain = (name, message, fix) => problems.warn(source, [name], message, fix)
  const errorsBefore = problems.list.filter(({ severity }) => severity === 'error').length

  for (const name of ['OIDC_PROVIDER', 'CLIENT_ID', 'CLIENT_SECRET']) {
    if (value(name) === '') error(name, 'is missing', 'oidc-authservice does not start without it')
  }
  tellIgnored(value, { use, warn })
  tellUnknown(Object.keys(env.values), warn)
  const settings = parseSettings(value, { use, error })
  const hasCluster = use === 'program' && asksCluster(value, { ...options, error, warn })
  const config = configOf(value, settings, { ...options, use, hasCluster, error })
  for (const { severity, key, message } of checkProxyConfig(config, { isProgram: use === 'program' })) {
    const name = variableOf[key]
    if (severity === 'error' && name !== undefined && value(name) !== '') error(name, message)
  }
  const hasErrors = problems.list.filter(({ severity }) => severity === 'error').length > errorsBefore
  return hasErrors ? undefined : config
}

function tellIgnored(value: Lookup, { use, warn }: { use: 'chain' | 'program'; warn: Complain }): void {
  for (const [name, { ignored, ignoredInChain }] of Object.entries(authserviceVariables)) {
    const reason = ignored ?? (use === 'chain' ? ignoredInChain : undefined)
    if (reason !== undefined && value(name) !== '') warn(name, `is not acted on: ${reason}`)
  }
}

/** Names that are almost one of ours. The environment of a program is full of others, a Service's links among them. */
function tellUnknown(names: readonly string[], warn: Complain): void {
  const known = Object.keys(authserviceVariables)
  for (const name of names) {
    if (Object.hasOwn(authserviceVariables, name) || /_SERVICE_(HOST|PORT)|_PORT(_\d|$)/.test(name)) continue
    const isTemplate = name.startsWith(templateContext)
    const near = /^[A-Z]+_[A-Z_]+$/.test(name) ? nearestName(name, known) : undefined
    if (isTemplate) warn(name, "is not acted on: the pages are Gatehouse's own")
    else if (near !== undefined && !name.endsWith(`_${near}`)) warn(name, 'is not known', `did you mean \`${near}\`?`)
  }
}

/** The variable a checked key comes from. */
const variableOf: Readonly<Record<string, string>> = {
  oidc_issuer_url: 'OIDC_PROVIDER',
  redirect_url: 'REDIRECT_URL',
  relative_redirect_url: 'REDIRECT_URL',
  cookie_samesite: 'SESSION_SAME_SITE',
  proxy_prefix: 'AUTHSERVICE_URL_PREFIX',
  cookie_secret: 'GATEHOUSE_COOKIE_SECRET',
  redis_connection_url: 'SESSION_STORE_REDIS_ADDR',
  ext_authz_path_prefix: 'GATEHOUSE_PATH_PREFIX',
}

function parseSettings(
  value: Lookup,
  { use, error }: { use: 'chain' | 'program'; error: Complain },
): AuthserviceSettings {
  const isFirstGeneration = value('AUTHSERVICE_URL_PREFIX') === '' && value('REDIRECT_URL').endsWith('/login/oidc')
  const prefix = withoutSlash(value('AUTHSERVICE_URL_PREFIX', '/authservice/')) || '/authservice'
  const redirectPath = pathOf(value('REDIRECT_URL'))
  return {
    prefix,
    verifyPath: withoutSlash(value('VERIFY_AUTH_URL')) || `${prefix}/verify`,
    // The first one listens at a fixed path, whatever an Ambassador prefix makes of the redirect URL outside.
    callbackPath: isFirstGeneration ? '/login/oidc' : redirectPath || `${prefix}/oidc/callback`,
    authorizationUrl: value('OIDC_AUTH_URL') || undefined,
    skipPrefixes: [...value('SKIP_AUTH_URLS').split(','), ...value('SKIP_AUTH_URI').split(' ')]
      .map((entry) => entry.trim())
      .filter((entry) => entry !== ''),
    afterLoginUrl: value('AFTER_LOGIN_URL') || value('STATIC_DESTINATION_URL'),
    afterLogoutUrl: value('AFTER_LOGOUT_URL'),
    homepageUrl: value('HOMEPAGE_URL', `${prefix}/site/homepage`),
    clientName: value('CLIENT_NAME', 'AuthService'),
    userIdHeader: value('USERID_HEADER', 'kubeflow-userid').toLowerCase(),
    userIdPrefix: value('USERID_PREFIX'),
    groupsHeader: value('GROUPS_HEADER', 'kubeflow-groups').toLowerCase(),
    idTokenHeader: isFirstGeneration ? value('USERID_TOKEN_HEADER', 'kubeflow-userid-token').toLowerCase() : undefined,
    authMethodHeader: value('AUTH_METHOD_HEADER', 'Auth-Method').toLowerCase(),
    passesIdToken: use === 'chain', // where the gateway's policy asks for a token; the original sends none
    userIdTransformers: parseTransformers(value('USERID_TRANSFORMERS'), error),
    authenticators: parseAuthenticators(value, error),
    externalAuthorizationUrl: parseUrl('EXTERNAL_AUTHZ_URL', value, error),
    isStrict: isTrue(value, 'STRICT_SESSION_VALIDATION', error),
  }
}

function parseAuthenticators(value: Lookup, error: Complain): AuthenticatorSettings {
  const kind = value('ACCESS_TOKEN_AUTHN', 'jwt')
  if (kind !== 'jwt' && kind !== 'opaque')
    error('ACCESS_TOKEN_AUTHN', `unknown kind \`${kind}\``, 'write jwt or opaque')
  return {
    bearerHeader: value('AUTH_HEADER', 'Authorization').toLowerCase(),
    idTokenHeader: value('ID_TOKEN_HEADER', 'Authorization').toLowerCase(),
    audiences: value('AUDIENCES', usualAudiences.join(','))
      .split(',')
      .map((one) => one.trim())
      .filter((one) => one !== ''),
    kubernetes: isTrue(value, 'KUBERNETES_AUTHN_ENABLED', error, true),
    accessToken: isTrue(value, 'ACCESS_TOKEN_AUTHN_ENABLED', error, true) ? (kind as 'jwt' | 'opaque') : 'off',
    idToken: isTrue(value, 'IDTOKEN_AUTHN_ENABLED', error, true),
  }
}

/** Whether tokens of service accounts can be reviewed. The original, which must by default, ends where it cannot. */
function asksCluster(
  value: Lookup,
  { isInCluster = false, error, warn }: AuthserviceUse & { error: Complain; warn: Complain },
): boolean {
  const name = 'KUBERNETES_AUTHN_ENABLED'
  if (!isTrue(value, name, () => {}, true)) return false
  if (isInCluster) return true
  const message = 'service-account tokens cannot be reviewed: there is no token to ask the API server with'
  if (value(name) === '') warn(name, message, 'write false where none are used')
  else error(name, message, 'mount a service account with the ClusterRole system:auth-delegator, or write false')
  return false
}

function configOf(
  value: Lookup,
  settings: AuthserviceSettings,
  { cookieSecret, use, hasCluster, error }: AuthserviceUse & { hasCluster: boolean; error: Complain },
): ProxyConfig {
  const redirectUrl = value('REDIRECT_URL') || settings.callbackPath
  const scopes = value('OIDC_SCOPES', 'openid,email').split(/[\s,]+/)
  const groups = value('GROUPS_ALLOWLIST', '*').split(',')
  const { audiences } = settings.authenticators
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
    oidc_extra_audiences: audiences,
    kubernetes_token_audiences: hasCluster ? audiences : [],
    cookie_name: 'authservice_session',
    cookie_secret: cookieSecret,
    cookie_expire: secondsOf(value, 'SESSION_MAX_AGE', error) * 1000,
    cookie_secure: redirectUrl.startsWith('https:') || isTrue(value, 'GATEHOUSE_COOKIE_SECURE', error),
    cookie_samesite: value('SESSION_SAME_SITE').toLowerCase(),
    http_address: `${value('SERVER_HOSTNAME', '0.0.0.0')}:${value('SERVER_PORT', '8080')}`,
    ...(use === 'program' ? programKeys(value, error) : {}),
    authservice: settings,
  }
}

function programKeys(value: Lookup, error: Complain): Partial<ProxyConfig> {
  const caFile = value('CA_BUNDLE')
  return {
    ...storeKeys(value, error),
    ...(caFile === '' ? {} : { provider_ca_files: [caFile], use_system_trust_store: true }),
    grpc_address: value('GATEHOUSE_GRPC_ADDRESS'),
    ext_authz_path_prefix: value('GATEHOUSE_PATH_PREFIX'),
  }
}

function secondsOf(value: Lookup, name: string, error: Complain): number {
  const text = value(name, '86400')
  const seconds = weakValue('int', text)
  if (seconds === undefined) error(name, `must be a number of seconds, got \`${text}\``, 'write 86400 for a day')
  return Number(seconds) || 86_400
}

/** A switch as Go reads one (strconv.ParseBool). */
function isTrue(value: Lookup, name: string, error: Complain, fallback = false): boolean {
  const text = value(name)
  if (text === '') return fallback
  if (/^(1|t|true)$/i.test(text)) return true
  if (!/^(0|f|false)$/i.test(text)) error(name, `must be true or false, got \`${text}\``)
  return false
}

function parseUrl(name: string, value: Lookup, error: Complain): string {
  const text = value(name)
  const isUrl = text === '' || (/^https?:\/\//.test(text) && URL.canParse(text))
  if (!isUrl) error(name, `must be a URL, got \`${text}\``, 'write http://host/path')
  return isUrl ? text : ''
}

function parseTransformers(text: string, error: Complain): AuthserviceSettings['userIdTransformers'] {
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
