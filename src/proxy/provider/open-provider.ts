import type { Fetch } from '../../http/part.ts'
import { type Clock, epochSeconds } from '../../kit/clock.ts'
import { GatehouseError } from '../../kit/errors.ts'
import type { Log } from '../../kit/log.ts'
import type { Random } from '../../kit/random.ts'
import { type JsonObject, parseJwt } from '../../tokens/jwt.ts'
import type { ProviderOptions } from '../alpha/provider-options.ts'
import type { Session } from '../session.ts'
import { openProviderApi } from './api.ts'
import { compileAuthorizationRequest, usesPkce } from './authorization-request.ts'
import { openEndpointSource, type ProviderEndpoints } from './endpoints.ts'
import { openIdentifier } from './identifier.ts'
import type { ProviderKind } from './kind.ts'
import type { Provider } from './provider.ts'
import { kindOf, settleOptions } from './settle-options.ts'
import { withSortedQuery } from './sorted-query.ts'
import { openTokenEndpoint, type TokenAnswer } from './token-endpoint.ts'

/** What a provider is opened with. */
export interface OpenProviderOptions {
  readonly options: ProviderOptions
  /** Browser-facing authorization URL that wins over discovery (authservice's `OIDC_AUTH_URL`). */
  readonly authorizationUrl?: string | undefined
  /** End-session URL that wins over discovery (`end_session_url`). */
  readonly endSessionUrl?: string | undefined
  /** Only what the original sends: PKCE and a nonce where they are configured. */
  readonly isStrict: boolean
  readonly fetch: Fetch
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
}

/**
 * The relying-party side, for every kind of provider the same steps. It is not built on `openid-client` because
 * oauth2-proxy's rules differ from what that library enforces: paths as endpoints, other audience claims, an optional
 * nonce, an issuer that may go unverified, providers without OpenID Connect, and a clock of its own.
 */
export function openProvider(given: OpenProviderOptions): Provider {
  const { fetch, clock, random, log, isStrict } = given
  const kind = kindOf(given.options)
  const options = settleOptions(given.options)
  const source = openEndpointSource({ ...given, options })
  const tokenEndpoint = openTokenEndpoint({ options, kind, fetch, clock, random })
  const identifier = openIdentifier({ options, fetch, clock, log })
  const api = openProviderApi(fetch)
  const parameters = compileAuthorizationRequest(options, { kind, isStrict })
  const isOidc = kind.protocol === 'oidc'
  const isPkce = usesPkce(options, { kind, isStrict })

  const loadEndpoints = () => (isOidc ? source.load() : oauthEndpoints(options))

  async function sessionOfTokens(tokens: TokenAnswer, endpoints: ProviderEndpoints, nonce: Uint8Array | undefined) {
    const bare = { ...bareSession(tokens, clock.now()), ...(nonce ? { nonce } : {}) }
    if (!isOidc) return enrich(bare, {}, endpoints)
    const { who, claims } = await identifier.identify(tokens, endpoints, nonce)
    const idToken = tokens.idToken === undefined ? {} : { idToken: tokens.idToken }
    return enrich(identified({ ...bare, ...who, ...idToken }, claims), claims, endpoints)
  }

  function identified(session: Session, claims: JsonObject): Session {
    return kind.identify?.(session, claims, options) ?? session
  }

  async function enrich(session: Session, claims: JsonObject, endpoints: ProviderEndpoints): Promise<Session> {
    if (!kind.enrich) return session
    const { authorization: loginURL, userinfo: userinfoUrl } = endpoints
    const shared = { api, claims, log, nowSeconds: epochSeconds(clock) }
    return kind.enrich(session, { ...shared, options: { ...options, loginURL }, userinfoUrl })
  }

  /** OpenID Connect Core §12.2: a refresh answer may leave the ID token out, and need not repeat the nonce. */
  async function sessionAfter(session: Session, tokens: TokenAnswer, endpoints: ProviderEndpoints): Promise<Session> {
    if (tokens.idToken !== undefined || !isOidc) return sessionOfTokens(tokens, endpoints, undefined)
    const claims = claimsOf(session.idToken)
    const { expiresAt: _over, ...kept } = session
    return enrich(identified({ ...kept, ...bareSession(tokens, clock.now()) }, claims), claims, endpoints)
  }

  async function refreshTokens(session: Session): Promise<Session> {
    const endpoints = await loadEndpoints()
    const grant = { grant_type: 'refresh_token', refresh_token: session.refreshToken ?? '' }
    const tokens = await tokenEndpoint.request(grant, endpoints)
    const fresh = await sessionAfter(session, tokens, endpoints)
    if (fresh.user !== session.user) {
      throw new GatehouseError('grant_refused', 'the refreshed tokens belong to another user')
    }
    const refreshToken = tokens.refreshToken ?? session.refreshToken
    const { nonce } = session
    return { ...fresh, ...(refreshToken ? { refreshToken } : {}), ...(nonce ? { nonce } : {}) }
  }

  /** A session nothing can refresh lives on as long as its access token counts. */
  async function renewWithoutToken(session: Session): Promise<Session> {
    await validate(session)
    const renewed = { ...session, createdAt: clock.now() }
    return kind.enrich && !isOidc ? enrich(renewed, {}, oauthEndpoints(options)) : renewed
  }

  async function validate({ accessToken = '' }: Session): Promise<void> {
    if (options.validateURL === '') return
    const headers = kind.tokenHeaders?.(accessToken)
    const url = headers ? options.validateURL : withSortedQuery(options.validateURL, { access_token: accessToken })
    const status = await api.status(url, headers ? { headers } : {})
    if (status === 200) return
    const code = status >= 500 || status === 429 ? 'provider_unavailable' : 'grant_refused'
    throw new GatehouseError(code, 'the sign-in provider no longer takes the access token', { detail: `${status}` })
  }

  return {
    async authorizationUrl(login, request) {
      const { authorization } = await loadEndpoints()
      return withSortedQuery(authorization, parameters(login, request))
    },
    async redeem(code, { nonce, codeVerifier }, redirectUri) {
      const endpoints = await loadEndpoints()
      const grant = {
        ...grantOf(code, redirectUri),
        ...(isPkce ? { code_verifier: codeVerifier } : {}),
        ...resourceOf(options, kind),
      }
      return sessionOfTokens(await tokenEndpoint.request(grant, endpoints), endpoints, isOidc ? nonce : undefined)
    },
    async refresh(session) {
      try {
        if (!session.refreshToken) return await renewWithoutToken(session)
        const fresh = await refreshTokens(session)
        await validate(fresh)
        return fresh
      } catch (cause) {
        throw endsSession(cause) ? new GatehouseError('grant_refused', cause.message, { cause }) : cause
      }
    },
    async sessionOfBearer(token) {
      if (!isOidc) return { refused: 'not-an-openid-provider' }
      const outcome = await identifier.identifyBearer(token, await loadEndpoints())
      if ('refused' in outcome) return outcome
      return { session: identified(outcome.session, outcome.claims) }
    },
    async verifyLogout(token, used) {
      if (!isOidc) return { kind: 'refused', reason: 'not-an-openid-provider' }
      const endpoints = await source.load().catch(unlessUnavailable)
      return endpoints ? identifier.verifyLogout(token, endpoints, used) : { kind: 'unavailable' }
    },
    async isOwnAnswer(_login, issuer) {
      if (issuer !== null)
        return !isOidc || options.oidcConfig.insecureSkipIssuerVerification || issuer === options.oidcConfig.issuerURL
      return !isOidc || !(await loadEndpoints()).sendsIssuer
    },
    endSessionUrl: () => source.endSession(),
    userinfoUrl: async () => (await loadEndpoints()).userinfo,
    backendLogoutUrl: () => options.backendLogoutURL,
    clientId: () => options.clientID,
    isReady: () => !isOidc || source.isReady(),
  }
}

function unlessUnavailable(cause: unknown): undefined {
  if (!(cause instanceof GatehouseError && cause.code === 'provider_unavailable')) throw cause
}

function bareSession({ accessToken, refreshToken, expiresIn }: TokenAnswer, now: number): Session {
  return {
    createdAt: now,
    accessToken,
    ...(refreshToken === undefined ? {} : { refreshToken }),
    ...(expiresIn === undefined ? {} : { expiresAt: now + expiresIn * 1000 }),
  }
}

function oauthEndpoints({ loginURL, redeemURL, profileURL }: ProviderOptions): ProviderEndpoints {
  return {
    authorization: loginURL,
    token: redeemURL,
    jwks: '',
    userinfo: profileURL || undefined,
    endSession: undefined,
    authMethods: undefined,
    sendsIssuer: false,
  }
}

function grantOf(code: string, redirectUri: string): Record<string, string> {
  return { grant_type: 'authorization_code', code, redirect_uri: redirectUri }
}

/** `resource`, for which only providers without OpenID Connect and Azure AD are asked. */
function resourceOf({ resource, provider }: ProviderOptions, { protocol }: ProviderKind): Record<string, string> {
  return resource === '' || (protocol === 'oidc' && provider !== 'azure') ? {} : { resource }
}

/** Whether a refresh that failed like this says the account must not go on: removed, locked, its consent withdrawn. */
function endsSession(cause: unknown): cause is GatehouseError {
  if (!(cause instanceof GatehouseError)) return false
  if (cause.code === 'api_refused') return /^40[13]\b/.test(cause.detail ?? '')
  return cause.code === 'not_admitted' || cause.code === 'email_not_verified'
}

/** Claims of an ID token that was verified when it came. */
function claimsOf(idToken: string | undefined): JsonObject {
  const jwt = parseJwt(idToken ?? '')
  return 'malformed' in jwt ? {} : jwt.claims
}
