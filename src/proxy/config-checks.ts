import { isIP } from 'node:net'
import { RE2JS } from 're2js'
import { formatGoDuration } from '../kit/duration.ts'
import { alphaOf } from './alpha/alpha-of-config.ts'
import { clientAddressHeaders } from './client-address.ts'
import { type ProxyKey, type ProxyKeyName, proxyKeyNames, proxyKeys } from './keys.ts'
import { checkProviders } from './provider/check-providers.ts'
import { parseRouteRule } from './routes.ts'
import { cookieKey } from './sessions/cookie-secret.ts'
import { checkSessionStore } from './sessions/session-store-checks.ts'
import { parseSignatureKey, signatureKeyFix } from './signature-key.ts'
import type { ProxyConfig } from './typed-config.ts'
import { weakValue } from './weak-values.ts'

/** Something wrong with the values of a configuration taken together. */
export interface ProxyConfigProblem {
  readonly severity: 'error' | 'warning'
  readonly key: ProxyKeyName
  readonly message: string
  readonly fix: string
}

/**
 * Everything oauth2-proxy checks before it starts (pkg/validation), as far as the keys are acted on, and more.
 * `isProgram`: for a program of its own, not a part of a chain.
 */
export function checkProxyConfig(
  config: ProxyConfig,
  { isProgram = false }: { isProgram?: boolean } = {},
): ProxyConfigProblem[] {
  const problems: ProxyConfigProblem[] = []
  const error = (key: ProxyKeyName, message: string, fix: string) =>
    problems.push({ severity: 'error', key, message, fix })
  const warn = (key: ProxyKeyName, message: string, fix: string) =>
    problems.push({ severity: 'warning', key, message, fix })
  // Upstreams have checks of their own; here they could only be in the way.
  const { providers } = alphaOf({ ...config, upstreams: [] })
  checkProviders(providers, { error, skipsButton: config.skip_provider_button })
  if (providers.some(({ clientSecret, clientSecretFile }) => clientSecret !== '' && clientSecretFile !== '')) {
    warn('client_secret_file', 'is not read beside client_secret', 'keep one of them')
  }
  if (config.skip_jwt_bearer_tokens) checkExtraIssuers(config, error)
  checkCookie(config, error)
  checkSessionStore(config, error)
  checkRoutes(config, { error, warn })
  checkUpstreams(config, { error, warn, isProgram })
  checkRedirect(config, { error, warn })
  const signatureKey = parseSignatureKey(config.signature_key)
  if (signatureKey && 'problem' in signatureKey) error('signature_key', signatureKey.problem, signatureKeyFix)
  for (const name of proxyKeyNames) {
    const { ignored }: ProxyKey = proxyKeys[name]
    if (ignored && !(isProgram && ignored.inChain) && isSet(config, name)) {
      problems.push({
        severity: ignored.severity,
        key: name,
        message: `is not acted on: ${ignored.reason}`,
        fix: 'remove it',
      })
    }
  }
  return problems
}

/** Whether the value differs from the original's default. */
function isSet(config: ProxyConfig, name: ProxyKeyName): boolean {
  const { kind, default: fallback } = proxyKeys[name]
  return JSON.stringify(config[name]) !== JSON.stringify(weakValue(kind, fallback))
}

type Report = (key: ProxyKeyName, message: string, fix: string) => void

function checkExtraIssuers(config: ProxyConfig, error: Report): void {
  for (const [index, pair] of config.extra_jwt_issuers.entries()) {
    const equals = pair.indexOf('=')
    if (equals < 1 || equals === pair.length - 1 || !isHttpUrl(pair.slice(0, equals))) {
      error('extra_jwt_issuers', `entry ${index + 1} is \`${pair}\``, 'write `https://issuer=audience`')
    }
  }
}

function checkCookie(config: ProxyConfig, error: Report): void {
  if (config.cookie_secret === '' && config.cookie_secret_file === '') {
    const message = 'missing setting: cookie-secret or cookie-secret-file'
    error('cookie_secret', message, 'write 32 random bytes as base64url')
  }
  if (config.cookie_secret !== '' && cookieKey(config.cookie_secret) === undefined) {
    const { length } = Buffer.from(config.cookie_secret)
    const message = `must be 16, 24, or 32 bytes to create an AES cipher, but is ${length} bytes`
    error('cookie_secret', message, 'write 32 random bytes as base64url')
  }
  for (const key of ['trusted_proxy_ips', 'trusted_ips'] as const) {
    for (const [index, entry] of config[key].entries()) {
      if (isNetwork(entry)) continue
      error(key, `${key}[${index}] (${entry}) could not be recognized`, 'write an address, or a network: `10.0.0.0/8`')
    }
  }
  if (!/^[A-Za-z0-9!#$%&'*+\-.^_`|~]{1,256}$/.test(config.cookie_name)) {
    error('cookie_name', `\`${config.cookie_name}\` is no cookie name`, 'write up to 256 letters, digits, `-` or `_`')
  }
  for (const key of ['cookie_samesite', 'cookie_csrf_samesite'] as const) {
    if (!['', 'lax', 'strict', 'none'].includes(config[key])) {
      error(key, `\`${config[key]}\` must be one of ['', 'lax', 'strict', 'none']`, 'write `lax`')
    }
  }
  if (config.cookie_expire !== 0 && config.cookie_refresh >= config.cookie_expire) {
    const [refresh, expire] = [config.cookie_refresh, config.cookie_expire].map(formatGoDuration)
    const message = `cookie_refresh ("${refresh}") must be less than cookie_expire ("${expire}")`
    error('cookie_refresh', message, 'lower cookie_refresh')
  }
  if (config.session_cookie_minimal && (config.cookie_refresh > 0 || config.set_authorization_header)) {
    error(
      'session_cookie_minimal',
      'drops the tokens that cookie_refresh and set_authorization_header need',
      'set it to false',
    )
  }
}

/** A regex that is met at the start of a path only, as far as its first characters tell. */
const beginsAtStart = /^(?:\(\?[a-zA-Z]+\))?(?:\((?:\?:)?)*(?:\^|\\A)/

function checkRoutes(config: ProxyConfig, { error, warn }: { error: Report; warn: Report }): void {
  for (const key of ['skip_auth_routes', 'skip_auth_regex', 'api_routes'] as const) {
    for (const rule of config[key]) {
      const { regex, negated } = key === 'skip_auth_routes' ? parseRouteRule(rule) : { regex: rule, negated: false }
      const reason = regexProblem(regex)
      if (reason !== undefined) error(key, `error compiling regex /${regex}/: ${reason}`, 'write it as RE2 has it')
      else if (key !== 'api_routes' && !negated && !beginsAtStart.test(regex)) {
        warn(key, `\`${regex}\` is met anywhere in a path, as in \`/admin${regex}\``, 'begin it with `^`')
      }
    }
  }
  if (!config.proxy_prefix.startsWith('/') || config.proxy_prefix.endsWith('/')) {
    error('proxy_prefix', `must start and not end with \`/\`, got \`${config.proxy_prefix}\``, 'write `/oauth2`')
  }
  const { ext_authz_path_prefix: asked } = config
  if (asked !== '' && !asked.startsWith('/')) {
    error('ext_authz_path_prefix', `must start with \`/\`, got \`${asked}\``, 'write `/extauth`')
  }
  const lists = [config.email_domains, config.authenticated_emails_file, config.htpasswd_file]
  if (lists.every(({ length }) => length === 0)) {
    const message = 'missing setting for email validation: email-domain or authenticated-emails-file required'
    error('email_domains', message, 'write the domains, or `*` for everyone')
  }
}

/** A part of a chain forwards nothing; a program's upstreams are checked where their alpha form is. */
function checkUpstreams(config: ProxyConfig, { error, warn, isProgram }: UpstreamReport): void {
  for (const upstream of isProgram ? [] : config.upstreams) {
    if (/^static:\/\/\d{3}$/.test(upstream)) continue
    error('upstreams', `\`${upstream}\` is not offered; requests are not forwarded here`, 'write `static://200`')
  }
  if (isProgram && !config.skip_auth_strip_headers && !config.compat) {
    const message = 'is false, but identity headers sent by a client are stripped all the same'
    warn('skip_auth_strip_headers', message, 'remove it, or set compat to believe clients as oauth2-proxy does')
  }
}

interface UpstreamReport {
  readonly error: Report
  readonly warn: Report
  readonly isProgram: boolean
}

function checkRedirect(config: ProxyConfig, { error, warn }: { error: Report; warn: Report }): void {
  const { redirect_url: redirectUrl, relative_redirect_url: relative } = config
  if (redirectUrl !== '' && !redirectUrl.startsWith('/') && !isHttpUrl(redirectUrl)) {
    error('redirect_url', `must be a URL or a path, got \`${redirectUrl}\``, 'write https://host/oauth2/callback')
  }
  if (!isHttpUrl(redirectUrl) && !relative) {
    warn(
      'redirect_url',
      "has no host, so it is completed with each request's Host",
      'write https://host/oauth2/callback, or set relative_redirect_url where the provider takes a path',
    )
  }
  if (config.reverse_proxy && config.trusted_proxy_ips.length === 0) {
    const whose = config.compat ? "so everybody's X-Forwarded-* headers are" : 'so X-Forwarded-* headers are not'
    warn('trusted_proxy_ips', `is empty, ${whose} believed`, 'list the addresses of your proxies')
  }
  const { real_client_ip_header: header } = config
  if (config.reverse_proxy && !clientAddressHeaders.some((known) => known.toLowerCase() === header.toLowerCase())) {
    const message = `the http header key (${header}) is either invalid or unsupported`
    error('real_client_ip_header', message, `write one of ${clientAddressHeaders.join(', ')}`)
  }
}

function isNetwork(entry: string): boolean {
  const [address = '', bits, ...more] = entry.split('/')
  const most = { 0: -1, 4: 32, 6: 128 }[isIP(address)] ?? -1
  return most > 0 && more.length === 0 && (bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) <= most))
}

function isHttpUrl(value: string): boolean {
  return /^https?:\/\/[^/?#\s\\]+/.test(value) && URL.canParse(value)
}

function regexProblem(regex: string): string | undefined {
  try {
    RE2JS.compile(regex)
    return undefined
  } catch (error) {
    return error instanceof Error ? error.message : 'unreadable'
  }
}
