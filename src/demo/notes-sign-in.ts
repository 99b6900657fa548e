import * as oidc from 'openid-client'
import type { Fetch } from '../http/part.ts'
import { type Clock, systemClock } from '../kit/clock.ts'
import type { Log } from '../kit/log.ts'
import { type Random, randomText } from '../kit/random.ts'
import { challengeOf } from '../oauth/pkce.ts'
import { type LogoutTokenOutcome, verifyLogoutToken } from '../oidc/logout-token.ts'
import type { Collection } from '../store/records.ts'
import { openRemoteKeySet, type RemoteKeySet } from '../tokens/remote-key-set.ts'

/** A person, as the app knows them. */
export interface NotesUser {
  readonly subject: string
  /** E-mail address, else user name, else subject. */
  readonly name: string
  /** Without leading slash. */
  readonly groups: readonly string[]
  /** The provider's session, where it names one. */
  readonly sid?: string
  /** When the ID token was issued, milliseconds since the epoch. */
  readonly since: number
}

/** What must be remembered between leaving for the provider and coming back. */
export interface PendingLogin {
  readonly state: string
  readonly nonce: string
  readonly verifier: string
  /** Path and query to go on to. */
  readonly returnTo: string
}

/** How the start of a login went. */
export type StartOutcome =
  | { readonly kind: 'leave'; readonly location: string; readonly login: PendingLogin }
  | { readonly kind: 'unreachable' }

/** How its end went. */
export type FinishOutcome =
  | { readonly kind: 'signed-in'; readonly user: NotesUser; readonly idToken: string | undefined }
  | { readonly kind: 'refused'; readonly error: string; readonly description: string | undefined }
  | { readonly kind: 'invalid' }
  | { readonly kind: 'unreachable' }

/** Signing in with the provider: authorization code, PKCE, state and nonce. */
export interface SignIn {
  start(returnTo: string): Promise<StartOutcome>
  /** `search`: the query the provider sent the browser back with. */
  finish(search: string, login: PendingLogin): Promise<FinishOutcome>
  /** The provider's sign-out page, coming back to the app's; `undefined` where the provider has none or is down. */
  endSessionUrl(idToken: string | undefined): Promise<string | undefined>
  /** Whether the provider says by this token that a session has ended (OpenID Connect Back-Channel Logout 1.0 §2.6). */
  verifyLogout(token: string): Promise<LogoutTokenOutcome>
}

/** What signing in needs. */
export interface SignInOptions {
  readonly publicUrl: string
  readonly issuer: string
  readonly clientId: string
  readonly clientSecret: string
  /** Ids of the logout tokens that were taken. */
  readonly usedLogoutTokens: Collection<true>
  readonly fetch: Fetch
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
}

/** Opens the relying party. The provider is asked for its endpoints when they are first needed, and again until it answers. */
export function openSignIn(options: SignInOptions): SignIn {
  const { publicUrl, clientId, usedLogoutTokens, fetch, clock, random, log } = options
  const provider = providerOf(options)
  let known: { readonly url: string; readonly keys: RemoteKeySet } | undefined

  return {
    async start(returnTo) {
      const config = await provider()
      if (!config) return { kind: 'unreachable' }
      const [state, nonce, verifier] = [randomText(random, 18), randomText(random, 18), randomText(random)] as const
      const location = oidc.buildAuthorizationUrl(config, {
        redirect_uri: `${publicUrl}/callback`,
        scope: 'openid profile email groups',
        state,
        nonce,
        code_challenge: challengeOf(verifier),
        code_challenge_method: 'S256',
      })
      return { kind: 'leave', location: location.href, login: { state, nonce, verifier, returnTo } }
    },
    async finish(search, { state, nonce, verifier }) {
      const config = await provider()
      if (!config) return { kind: 'unreachable' }
      try {
        const checks = { expectedState: state, expectedNonce: nonce, pkceCodeVerifier: verifier, idTokenExpected: true }
        const tokens = await oidc.authorizationCodeGrant(config, new URL(`${publicUrl}/callback${search}`), checks)
        const claims = tokens.claims() ?? { sub: '' }
        const userInfo = config.serverMetadata().userinfo_endpoint
          ? await oidc.fetchUserInfo(config, tokens.access_token, claims.sub)
          : {}
        return { kind: 'signed-in', user: userOf({ ...userInfo, ...claims }), idToken: tokens.id_token }
      } catch (error) {
        log.info('sign-in not completed', { error })
        return outcomeOf(error)
      }
    },
    async endSessionUrl(idToken) {
      const config = await provider()
      if (!config?.serverMetadata().end_session_endpoint) return undefined
      return oidc.buildEndSessionUrl(config, {
        post_logout_redirect_uri: `${publicUrl}/signed-out`,
        ...(idToken === undefined ? {} : { id_token_hint: idToken }),
      }).href
    },
    async verifyLogout(token) {
      const { issuer = '', jwks_uri: url } = (await provider())?.serverMetadata() ?? {}
      if (url === undefined) return { kind: 'unavailable' }
      if (known?.url !== url) known = { url, keys: openRemoteKeySet({ url, fetch, clock, log }) }
      const { keys } = known
      return verifyLogoutToken(token, {
        issuer,
        audiences: [clientId],
        keysFor: (jwt) => keys.keysFor(jwt),
        used: usedLogoutTokens,
        clock,
      })
    },
  }
}

/** The provider's configuration; `undefined` while it cannot be had. */
function providerOf({ issuer, clientId, clientSecret, fetch, clock, log }: SignInOptions) {
  const isPlain = new URL(issuer).protocol === 'http:'
  let metadata: oidc.ServerMetadata | undefined
  const discover = () =>
    oidc.discovery(new URL(issuer), clientId, undefined, undefined, {
      [oidc.customFetch]: fetchWith(fetch),
      timeout: 10,
      ...(isPlain ? { execute: [oidc.allowInsecureRequests] } : {}),
    })

  return async (): Promise<oidc.Configuration | undefined> => {
    try {
      metadata ??= (await discover()).serverMetadata()
    } catch (error) {
      log.warn('identity provider does not answer', { issuer, error })
      return undefined
    }
    // A configuration tells the time by the machine's clock, corrected by a skew which is fixed when it is made.
    const skewSeconds = Math.round((clock.now() - systemClock.now()) / 1000)
    const client = { client_secret: clientSecret, [oidc.clockSkew]: skewSeconds }
    const config = new oidc.Configuration(metadata, clientId, client, oidc.ClientSecretBasic(clientSecret))
    config[oidc.customFetch] = fetchWith(fetch)
    config.timeout = 10
    if (isPlain) oidc.allowInsecureRequests(config)
    oidc.enableNonRepudiationChecks(config) // the ID token's signature is verified against the published keys
    return config
  }
}

function fetchWith(fetch: Fetch): oidc.CustomFetch {
  return (url, { body, headers, method, redirect, signal }) =>
    fetch(url, { headers, method, redirect, ...(body == null ? {} : { body }), ...(signal ? { signal } : {}) })
}

function userOf(claims: Readonly<Record<string, unknown>> & { readonly sub: string }): NotesUser {
  const { sub, sid, iat, email, preferred_username, groups } = claims
  const name = [email, preferred_username].find((one): one is string => typeof one === 'string' && one !== '') ?? sub
  const named = Array.isArray(groups) ? groups.filter((group): group is string => typeof group === 'string') : []
  return {
    subject: sub,
    name,
    groups: named.map((group) => group.replace(/^\//, '')), // Keycloak gives paths: `/team/ml`
    ...(typeof sid === 'string' ? { sid } : {}),
    since: typeof iat === 'number' ? iat * 1000 : 0,
  }
}

function outcomeOf(error: unknown): FinishOutcome {
  if (error instanceof oidc.AuthorizationResponseError) {
    return { kind: 'refused', error: error.error, description: error.error_description }
  }
  if (error instanceof oidc.ResponseBodyError) return { kind: error.status < 500 ? 'invalid' : 'unreachable' }
  if (!(error instanceof oidc.ClientError)) return { kind: 'unreachable' } // what `fetch` itself has thrown
  const isFailure = error.cause instanceof Response && error.cause.status >= 500
  const isSilence = [undefined, 'OAUTH_TIMEOUT', 'OAUTH_ABORT'].includes(error.code)
  return { kind: isFailure || isSilence ? 'unreachable' : 'invalid' }
}
