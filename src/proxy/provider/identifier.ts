import type { Fetch } from '../../http/part.ts'
import { type Clock, epochSeconds } from '../../kit/clock.ts'
import { GatehouseError } from '../../kit/errors.ts'
import type { Log } from '../../kit/log.ts'
import { type LogoutTokenOutcome, verifyLogoutToken } from '../../oidc/logout-token.ts'
import type { Collection } from '../../store/records.ts'
import { type JsonObject, parseJwt } from '../../tokens/jwt.ts'
import { openRemoteKeySet, type RemoteKeySet } from '../../tokens/remote-key-set.ts'
import type { ProviderOptions } from '../alpha/provider-options.ts'
import { hashOf } from '../login/csrf-cookie.ts'
import type { Session } from '../session.ts'
import type { ProviderEndpoints } from './endpoints.ts'
import { idTokenRules, verifyIdToken } from './id-token.ts'
import { openKeyFiles } from './key-files.ts'
import { type Identity, identityFromClaims } from './session-claims.ts'
import { parseJsonObject, type TokenAnswer } from './token-endpoint.ts'

/** Finds out who ID tokens are about. */
export interface Identifier {
  /**
   * Who the tokens of a login (with its nonce) or of a refresh belong to.
   * @throws GatehouseError `provider_refused` for an ID token that is missing or not believed, `provider_unavailable`
   * where its keys cannot be had, `email_not_verified`.
   */
  identify(tokens: TokenAnswer, endpoints: ProviderEndpoints, nonce: Uint8Array | undefined): Promise<Identity>
  /** The session a bearer token stands for, or why for none. @throws GatehouseError `email_not_verified`. */
  identifyBearer(
    token: string,
    endpoints: ProviderEndpoints,
  ): Promise<{ session: Session; claims: JsonObject } | { refused: string }>
  /** Whether a logout token is believed, by the rules for ID tokens; `used` remembers those that were. */
  verifyLogout(token: string, endpoints: ProviderEndpoints, used: Collection<true>): Promise<LogoutTokenOutcome>
}

const userinfoTimeout = 5000

/** Opens the verification of one provider's ID tokens. */
export function openIdentifier({
  options,
  fetch,
  clock,
  log,
}: {
  options: ProviderOptions
  fetch: Fetch
  clock: Clock
  log: Log
}): Identifier {
  const rules = idTokenRules(options)
  const { publicKeyFiles, insecureSkipNonce } = options.oidcConfig
  const fileKeys = publicKeyFiles.length > 0 ? openKeyFiles(publicKeyFiles) : undefined
  let remote: { url: string; keys: RemoteKeySet } | undefined

  function keysAt(url: string): RemoteKeySet {
    if (fileKeys) return fileKeys
    if (remote?.url !== url) remote = { url, keys: openRemoteKeySet({ url, fetch, clock, log }) }
    return remote.keys
  }

  const verify = (token: string, { jwks }: ProviderEndpoints) =>
    verifyIdToken(token, { rules, keySet: keysAt(jwks), nowSeconds: epochSeconds(clock) })

  async function verifiedClaims(idToken: string, endpoints: ProviderEndpoints, nonce: Uint8Array | undefined) {
    const verified = await verify(idToken, endpoints)
    if (!verified.ok) {
      const code = verified.reason === 'no-keys' ? 'provider_unavailable' : 'provider_refused'
      throw new GatehouseError(code, 'the ID token could not be verified', { detail: verified.reason })
    }
    const { nonce: given } = verified.claims
    if (nonce && given !== undefined && given !== hashOf(nonce)) {
      throw new GatehouseError('nonce_mismatch', 'the ID token belongs to another login')
    }
    if (nonce && given === undefined && !insecureSkipNonce) {
      throw new GatehouseError('nonce_mismatch', 'the ID token has no nonce')
    }
    return verified.claims
  }

  async function loadProfile(accessToken: string, url: string | undefined, sub: unknown): Promise<JsonObject> {
    if (url === undefined || options.skipClaimsFromProfileURL) return {}
    const headers = { authorization: `Bearer ${accessToken}`, accept: 'application/json' }
    const init = { headers, redirect: 'error', signal: AbortSignal.timeout(userinfoTimeout) } as const
    // Guessing on without it would make someone else of the user: one without an address, or without groups.
    const away = (cause: unknown) =>
      new GatehouseError('provider_unavailable', 'the userinfo endpoint does not answer', { cause })
    const response = await fetch(url, init).catch((cause: unknown) => {
      throw away(cause)
    })
    if (response.status >= 500) throw away(undefined)
    const profile = response.ok ? profileOf(await response.text()) : {}
    if (!response.ok) log.warn('the userinfo endpoint refused', { url, status: response.status })
    return profile['sub'] === undefined || profile['sub'] === sub ? profile : {} // OpenID Connect Core §5.3.2
  }

  return {
    async identify({ idToken, accessToken }, endpoints, nonce) {
      if (idToken === undefined) {
        throw new GatehouseError('provider_refused', 'the sign-in provider sent no ID token')
      }
      const claims = await verifiedClaims(idToken, endpoints, nonce)
      return identityFromClaims(claims, options, () => loadProfile(accessToken, endpoints.userinfo, claims['sub']))
    },
    async identifyBearer(token, endpoints) {
      const verified = await verify(token, endpoints)
      if (!verified.ok) return { refused: verified.reason }
      const { exp, sub } = verified.claims
      const { who, claims } = await identityFromClaims(verified.claims, options, async () => ({}))
      const email = who.email ?? String(sub ?? '')
      const times = { createdAt: clock.now(), expiresAt: Number(exp) * 1000 }
      return { session: { ...who, ...times, email, accessToken: token, idToken: token }, claims }
    },
    verifyLogout: (token, { jwks }, used) =>
      verifyLogoutToken(token, { ...rules, keysFor: (jwt) => keysAt(jwks).keysFor(jwt), used, clock }),
  }
}

/** The claims of a userinfo answer: JSON, or a JWT that came straight from the provider (OpenID Connect Core §5.3.2). */
export function profileOf(text: string): JsonObject {
  if (text.trimStart().startsWith('{')) return parseJsonObject(text)
  const jwt = parseJwt(text.trim())
  return 'malformed' in jwt ? {} : jwt.claims
}
