import type { Fetch } from '../../http/part.ts'
import { type Clock, epochSeconds } from '../../kit/clock.ts'
import { GatehouseError } from '../../kit/errors.ts'
import type { Log } from '../../kit/log.ts'
import { challengeOf } from '../../oauth/pkce.ts'
import type { JsonObject } from '../../tokens/jwt.ts'
import { openRemoteKeySet, type RemoteKeySet } from '../../tokens/remote-key-set.ts'
import type { ProxyConfig } from '../config.ts'
import { hashOf, type PendingLogin } from '../login/csrf-cookie.ts'
import type { Session } from '../session.ts'
import { openEndpointSource, type ProviderEndpoints } from './endpoints.ts'
import { idTokenRules, verifyIdToken } from './id-token.ts'
import { sessionFromClaims } from './session-claims.ts'
import { openTokenEndpoint, parseJsonObject, type TokenAnswer } from './token-endpoint.ts'

/** The OpenID provider users sign in at, seen from here. */
export interface Provider {
  /** Where the browser is sent to sign in. */
  authorizationUrl(
    login: PendingLogin,
    request: { state: string; redirectUri: string; prompt: string },
  ): Promise<string>
  /** Redeems a code and answers the session it proves. @throws GatehouseError where it does not. */
  redeem(code: string, login: PendingLogin, redirectUri: string): Promise<Session>
  /** A session with fresh tokens. @throws GatehouseError `grant_refused` where the refresh token is dead. */
  refresh(session: Session): Promise<Session>
  /** The session a bearer token stands for, or why it stands for none. @throws GatehouseError like `redeem`. */
  sessionOfBearer(token: string): Promise<{ session: Session } | { refused: string }>
  /** Where the browser ends the provider's session. */
  endSessionUrl(): Promise<string | undefined>
  isReady(): boolean
}

const userinfoTimeout = 5000

/**
 * The relying-party side. It is not built on `openid-client` because oauth2-proxy's rules differ from what that library
 * enforces: paths as endpoints, other audience claims, an optional nonce, an issuer that may go unverified, and a clock
 * of its own.
 */
export function openProvider(options: {
  config: ProxyConfig
  authorizationUrl?: string | undefined
  fetch: Fetch
  clock: Clock
  log: Log
}): Provider {
  const { config, fetch, clock, log } = options
  const source = openEndpointSource(options)
  const tokenEndpoint = openTokenEndpoint({ config, fetch })
  const rules = idTokenRules(config)
  let keySet: { url: string; keys: RemoteKeySet } | undefined

  function keysAt(url: string): RemoteKeySet {
    if (keySet?.url !== url) keySet = { url, keys: openRemoteKeySet({ url, fetch, clock, log }) }
    return keySet.keys
  }

  async function sessionOfTokens(tokens: TokenAnswer, endpoints: ProviderEndpoints, nonce: Uint8Array | undefined) {
    if (tokens.idToken === undefined) {
      throw new GatehouseError('provider_refused', 'the sign-in provider sent no ID token')
    }
    const claims = await claimsOf(tokens.idToken, endpoints, nonce)
    const createdAt = clock.now()
    const session = await sessionFromClaims(claims, config, {
      loadProfile: () => loadProfile(tokens.accessToken, endpoints.userinfo, claims['sub']),
      accessToken: tokens.accessToken,
    })
    return {
      ...session,
      createdAt,
      accessToken: tokens.accessToken,
      idToken: tokens.idToken,
      ...(tokens.refreshToken === undefined ? {} : { refreshToken: tokens.refreshToken }),
      ...(tokens.expiresIn === undefined ? {} : { expiresAt: createdAt + tokens.expiresIn * 1000 }),
      ...(nonce ? { nonce } : {}),
    }
  }

  const verify = (token: string, { jwks }: ProviderEndpoints) =>
    verifyIdToken(token, { rules, keySet: keysAt(jwks), nowSeconds: epochSeconds(clock) })

  async function claimsOf(idToken: string, endpoints: ProviderEndpoints, nonce: Uint8Array | undefined) {
    const verified = await verify(idToken, endpoints)
    if (!verified.ok) {
      const code = verified.reason === 'no-keys' ? 'provider_unavailable' : 'provider_refused'
      throw new GatehouseError(code, 'the ID token could not be verified', { detail: verified.reason })
    }
    const { nonce: given } = verified.claims
    if (nonce && given !== undefined && given !== hashOf(nonce)) {
      throw new GatehouseError('provider_refused', 'the ID token belongs to another login', { detail: 'nonce' })
    }
    if (nonce && given === undefined && !config.insecure_oidc_skip_nonce) {
      throw new GatehouseError('provider_refused', 'the ID token has no nonce', { detail: 'nonce' })
    }
    return verified.claims
  }

  async function loadProfile(accessToken: string, url: string | undefined, sub: unknown): Promise<JsonObject> {
    if (url === undefined || config.skip_claims_from_profile_url) return {}
    try {
      const headers = { authorization: `Bearer ${accessToken}`, accept: 'application/json' }
      const response = await fetch(url, { headers, redirect: 'error', signal: AbortSignal.timeout(userinfoTimeout) })
      const profile = response.ok ? parseJsonObject(await response.text()) : {}
      return profile['sub'] === undefined || profile['sub'] === sub ? profile : {} // OpenID Connect Core §5.3.2
    } catch (cause) {
      log.warn('the userinfo endpoint does not answer', { url, cause })
      return {}
    }
  }

  return {
    async authorizationUrl(login, request) {
      const { authorization } = await source.load()
      return withSortedQuery(authorization, authorizationParameters(config, login, request))
    },
    async redeem(code, { nonce, codeVerifier }, redirectUri) {
      const endpoints = await source.load()
      const grant = { grant_type: 'authorization_code', code, redirect_uri: redirectUri, code_verifier: codeVerifier }
      return sessionOfTokens(await tokenEndpoint.request(grant, endpoints), endpoints, nonce)
    },
    async refresh(session) {
      const endpoints = await source.load()
      const grant = { grant_type: 'refresh_token', refresh_token: session.refreshToken ?? '' }
      const tokens = await tokenEndpoint.request(grant, endpoints)
      // OpenID Connect Core §12.2: a refresh answer may leave the ID token out, and need not repeat the nonce.
      const fresh =
        tokens.idToken === undefined
          ? { ...session, createdAt: clock.now(), accessToken: tokens.accessToken }
          : await sessionOfTokens(tokens, endpoints, undefined)
      const refreshToken = tokens.refreshToken ?? session.refreshToken
      const { nonce } = session
      if (fresh.user !== session.user) {
        throw new GatehouseError('grant_refused', 'the refreshed tokens belong to another user')
      }
      return { ...fresh, ...(refreshToken ? { refreshToken } : {}), ...(nonce ? { nonce } : {}) }
    },
    async sessionOfBearer(token) {
      const verified = await verify(token, await source.load())
      if (!verified.ok) return { refused: verified.reason }
      const { exp, sub } = verified.claims
      const loadProfile = async () => ({})
      const session = await sessionFromClaims(verified.claims, config, { loadProfile, accessToken: token })
      const email = session.email ?? String(sub ?? '')
      const expiresAt = Number(exp) * 1000
      return { session: { ...session, createdAt: clock.now(), email, expiresAt, accessToken: token, idToken: token } }
    },
    endSessionUrl: () => source.endSession(),
    isReady: () => source.isReady(),
  }
}

function authorizationParameters(
  config: ProxyConfig,
  login: PendingLogin,
  { state, redirectUri, prompt }: { state: string; redirectUri: string; prompt: string },
): Record<string, string> {
  const isPlain = (config.code_challenge_method || config.force_code_challenge_method) === 'plain'
  return {
    client_id: config.client_id,
    // PKCE and the nonce are sent always, not only on request: no provider may refuse them (RFC 6749 §3.1).
    code_challenge: isPlain ? login.codeVerifier : challengeOf(login.codeVerifier),
    code_challenge_method: isPlain ? 'plain' : 'S256',
    nonce: hashOf(login.nonce),
    redirect_uri: redirectUri,
    response_type: 'code',
    scope: config.scope || (config.allowed_groups.length > 0 ? 'openid email profile groups' : 'openid email profile'),
    state,
    ...(prompt === '' ? { approval_prompt: config.approval_prompt } : { prompt }),
    ...(config.acr_values === '' ? {} : { acr_values: config.acr_values }),
  }
}

/** Adds parameters to a URL or path, keeping its own query; all sorted by name, as Go's `url.Values` encodes. */
export function withSortedQuery(url: string, parameters: Readonly<Record<string, string>>): string {
  const mark = url.indexOf('?')
  const query = new URLSearchParams(mark < 0 ? '' : url.slice(mark + 1))
  for (const [name, value] of Object.entries(parameters)) if (value !== '') query.set(name, value)
  query.sort()
  return `${mark < 0 ? url : url.slice(0, mark)}?${query}`
}
