import type { ProviderOptions } from '../alpha/provider-options.ts'
import type { ProxyKeyName } from '../keys.ts'
import { providerKinds } from './index.ts'
import { kindOf, settleOptions } from './settle-options.ts'

/** Tells what is wrong, under the flat key that says it. */
export type ReportProblem = (key: ProxyKeyName, message: string, fix: string) => void

/** What providers cannot be opened with (oauth2-proxy pkg/validation/providers.go, pkg/providers/oidc). */
export function checkProviders(
  providers: readonly ProviderOptions[],
  { error, skipsButton }: { error: ReportProblem; skipsButton: boolean },
): void {
  if (providers.length === 0) error('provider', 'is missing: nobody could sign in', 'configure at least one provider')
  if (skipsButton && providers.length > 1) {
    const fix = 'set it to false, or keep one provider'
    error('skip_provider_button', 'leaves no choice between several providers', fix)
  }
  const ids = new Set<string>()
  for (const options of providers) {
    if (ids.has(options.id)) error('provider', `two providers have the id \`${options.id}\``, 'give each its own id')
    ids.add(options.id)
    const named: ReportProblem =
      providers.length === 1
        ? error
        : (key, message, fix) => error(key, `of provider \`${options.id}\` ${message}`, fix)
    checkProvider(options, named)
  }
}

function checkProvider(given: ProviderOptions, error: ReportProblem): void {
  if (!Object.hasOwn(providerKinds, given.provider)) {
    const known = Object.keys(providerKinds).join(', ')
    error('provider', `unknown provider \`${given.provider}\``, `write one of ${known}`)
  }
  const kind = kindOf(given)
  if (given.clientID === '')
    error('client_id', 'provider missing setting: client-id', 'write the client id registered at the provider')
  checkUrls(given, error)
  const options = settled(given)
  if (!options) return
  checkSecret(options, { error, isNeeded: kind.clientAssertion?.(options) === undefined })
  if (kind.protocol === 'oidc') checkOidc(options, error)
  else checkOAuth(options, error)
  for (const { key, message, fix } of kind.check?.(options) ?? []) error(key, message, fix)
}

/** `undefined` for settings too broken to be completed, which are told already. */
function settled(options: ProviderOptions): ProviderOptions | undefined {
  try {
    return settleOptions(options)
  } catch {
    return undefined
  }
}

function checkSecret(
  { clientSecret, clientSecretFile }: ProviderOptions,
  { error, isNeeded }: { error: ReportProblem; isNeeded: boolean },
): void {
  if (isNeeded && clientSecret === '' && clientSecretFile === '') {
    error('client_secret', 'missing setting: client-secret or client-secret-file', 'write the secret of the client')
  }
}

function checkOidc({ oidcConfig, loginURL, redeemURL }: ProviderOptions, error: ReportProblem): void {
  const { issuerURL, skipDiscovery, jwksURL, publicKeyFiles } = oidcConfig
  if (!isHttpUrl(issuerURL)) {
    error('oidc_issuer_url', `must be a URL, got \`${issuerURL}\``, 'write the issuer: http(s)://host/path')
  }
  if (jwksURL !== '' && publicKeyFiles.length > 0) {
    error('oidc_public_key_files', 'cannot be combined with oidc_jwks_url', 'keep one of them')
  }
  if (!skipDiscovery) return
  const needed = { login_url: loginURL, redeem_url: redeemURL, oidc_jwks_url: jwksURL || publicKeyFiles[0] }
  for (const [key, value] of Object.entries(needed)) {
    const isMissing = value === undefined || value === ''
    // The names above are keys of the table.
    if (isMissing)
      error(key as ProxyKeyName, 'is missing, and skip_oidc_discovery is true', 'write the URL of the endpoint')
  }
}

function checkOAuth({ loginURL, redeemURL }: ProviderOptions, error: ReportProblem): void {
  if (loginURL === '')
    error('login_url', 'is missing, and this provider has no default', 'write the URL of the endpoint')
  if (redeemURL === '')
    error('redeem_url', 'is missing, and this provider has no default', 'write the URL of the endpoint')
}

function checkUrls(options: ProviderOptions, error: ReportProblem): void {
  const urls = {
    redeem_url: options.redeemURL,
    oidc_jwks_url: options.oidcConfig.jwksURL,
    profile_url: options.profileURL,
    validate_url: options.validateURL,
    backend_logout_url: options.backendLogoutURL,
  }
  for (const [key, value] of Object.entries(urls)) {
    if (value === '' || isHttpUrl(value)) continue
    error(key as ProxyKeyName, `must be a URL, got \`${value}\``, 'write http(s)://host/path') // a key of the table
  }
  const { loginURL, code_challenge_method: method } = options
  if (loginURL !== '' && !loginURL.startsWith('/') && !isHttpUrl(loginURL)) {
    error('login_url', `must be a URL or a path, got \`${loginURL}\``, 'write http(s)://host/path or /path')
  }
  if (!['', 'S256', 'plain'].includes(method)) {
    error('code_challenge_method', `unknown method \`${method}\``, 'write `S256`')
  }
}

function isHttpUrl(value: string): boolean {
  return /^https?:\/\/[^/?#\s\\]+/.test(value) && URL.canParse(value)
}
