import type { Fetch } from '../../http/part.ts'
import type { Clock } from '../../kit/clock.ts'
import { GatehouseError } from '../../kit/errors.ts'
import type { Log } from '../../kit/log.ts'
import type { ProviderOptions } from '../alpha/provider-options.ts'

/** Where the provider is reached. URLs of the browser's side may be paths. */
export interface ProviderEndpoints {
  /** Browser side. */
  readonly authorization: string
  readonly token: string
  readonly jwks: string
  readonly userinfo: string | undefined
  /** Browser side; `undefined` where the provider has none. */
  readonly endSession: string | undefined
  /** Client authentication the token endpoint takes; `undefined` where it does not say. */
  readonly authMethods: readonly string[] | undefined
  /** Whether every answer of the authorization endpoint carries `iss` (RFC 9207 §3). */
  readonly sendsIssuer: boolean
}

/** Knows the endpoints, from the configuration or by discovery, and asks again while the issuer is down. */
export interface EndpointSource {
  /** @throws GatehouseError `provider_unavailable` while discovery does not answer. */
  load(): Promise<ProviderEndpoints>
  /** The end-session endpoint, discovered even where the others are configured; `undefined` where there is none. */
  endSession(): Promise<string | undefined>
  isReady(): boolean
}

/** How long a failed discovery is not repeated, in milliseconds. */
const retryAfter = 2000
const timeout = 5000

/** What discovery answers, as far as it is used (OpenID Connect Discovery §3, RP-Initiated Logout §2.1). */
interface Discovered {
  readonly issuer?: unknown
  readonly authorization_endpoint?: unknown
  readonly token_endpoint?: unknown
  readonly jwks_uri?: unknown
  readonly userinfo_endpoint?: unknown
  readonly end_session_endpoint?: unknown
  readonly token_endpoint_auth_methods_supported?: unknown
  readonly authorization_response_iss_parameter_supported?: unknown
}

/** With discovery, what it says replaces what is configured (as in the original), except `authorizationUrl`. */
export function openEndpointSource({
  options,
  authorizationUrl,
  endSessionUrl,
  fetch,
  clock,
  log,
}: {
  options: ProviderOptions
  /** Browser-facing authorization URL that wins over discovery (authservice's `OIDC_AUTH_URL`). */
  authorizationUrl?: string | undefined
  /** End-session URL that wins over discovery (`end_session_url`). */
  endSessionUrl?: string | undefined
  fetch: Fetch
  clock: Clock
  log: Log
}): EndpointSource {
  const { issuerURL, skipDiscovery, jwksURL } = options.oidcConfig
  const url = `${issuerURL.replace(/\/$/, '')}/.well-known/openid-configuration`
  const discover = retrying(() => fetchDocument(options, { url, fetch }), { clock, log, url })
  const configured: ProviderEndpoints = {
    authorization: authorizationUrl || options.loginURL,
    token: options.redeemURL,
    jwks: jwksURL,
    userinfo: options.profileURL || undefined,
    endSession: endSessionUrl || undefined,
    authMethods: undefined,
    sendsIssuer: false,
  }

  return {
    async load() {
      if (skipDiscovery) return configured
      const found = await discover.load()
      return {
        authorization: authorizationUrl || textOf(found.authorization_endpoint) || configured.authorization,
        token: textOf(found.token_endpoint) || configured.token,
        jwks: textOf(found.jwks_uri) || configured.jwks,
        userinfo: textOf(found.userinfo_endpoint) || configured.userinfo,
        endSession: configured.endSession ?? textOf(found.end_session_endpoint),
        authMethods: textsOf(found.token_endpoint_auth_methods_supported),
        sendsIssuer: found.authorization_response_iss_parameter_supported === true,
      }
    },
    async endSession() {
      if (configured.endSession !== undefined || issuerURL === '') return configured.endSession
      const found = await discover.load().catch(() => undefined)
      const endSession = textOf(found?.end_session_endpoint)
      return endSession && asBrowserReaches(endSession, issuerURL, configured.authorization)
    },
    isReady() {
      if (skipDiscovery) return true
      if (!discover.isLoaded()) void discover.load().catch(() => {}) // the failure is logged where it happens
      return discover.isLoaded()
    },
  }
}

/**
 * The issuer may be known by a name only the cluster resolves while `login_url` says how browsers get there: an
 * end-session endpoint on the issuer's origin is then moved to the login page's, which may be a bare path.
 */
function asBrowserReaches(endSession: string, issuer: string, loginUrl: string): string {
  if (loginUrl === '' || new URL(endSession).origin !== new URL(issuer).origin) return endSession
  const { pathname, search } = new URL(endSession)
  return loginUrl.startsWith('/') ? pathname + search : new URL(loginUrl).origin + pathname + search
}

async function fetchDocument(
  { oidcConfig }: ProviderOptions,
  { url, fetch }: { url: string; fetch: Fetch },
): Promise<Discovered> {
  const response = await fetch(url, {
    headers: { accept: 'application/json' },
    redirect: 'error',
    signal: AbortSignal.timeout(timeout),
  })
  if (!response.ok) throw new GatehouseError('discovery', `discovery answered status ${response.status}`)
  const document = (await response.json()) as Discovered | null
  const issuer = textOf(document?.issuer)
  if (issuer !== oidcConfig.issuerURL && !oidcConfig.insecureSkipIssuerVerification) {
    throw new GatehouseError(
      'discovery',
      `the provider calls itself \`${issuer ?? ''}\`, oidc_issuer_url is \`${oidcConfig.issuerURL}\``,
    )
  }
  return document ?? {}
}

/** Loads once, for all waiters, and again after a failure, but not at once. */
function retrying<Value>(attempt: () => Promise<Value>, { clock, log, url }: { clock: Clock; log: Log; url: string }) {
  let loaded: Value | undefined
  let loading: Promise<Value> | undefined
  let failedAt = Number.NEGATIVE_INFINITY

  async function tryOnce(): Promise<Value> {
    try {
      loaded = await attempt()
      return loaded
    } catch (cause) {
      failedAt = clock.now()
      log.warn('the provider could not be discovered', { url, cause })
      throw new GatehouseError('provider_unavailable', 'the sign-in provider does not answer', { cause })
    } finally {
      loading = undefined
    }
  }

  return {
    isLoaded: () => loaded !== undefined,
    async load(): Promise<Value> {
      if (loaded !== undefined) return loaded
      if (!loading && clock.now() - failedAt < retryAfter) {
        throw new GatehouseError('provider_unavailable', 'the sign-in provider does not answer')
      }
      loading ??= tryOnce()
      return loading
    },
  }
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined
}

function textsOf(value: unknown): readonly string[] | undefined {
  return Array.isArray(value) ? value.filter((one) => typeof one === 'string') : undefined
}
