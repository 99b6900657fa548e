import {
  AuthorizationResponseError,
  authorizationCodeGrant,
  buildAuthorizationUrl,
  buildEndSessionUrl,
  type Configuration,
  fetchUserInfo,
  ResponseBodyError,
  refreshTokenGrant,
  skipSubjectCheck,
} from 'openid-client'
import { challengeOf } from '../../oauth/pkce.ts'
import { type LogoutTokenOutcome, verifyLogoutToken } from '../../oidc/logout-token.ts'
import type { JsonObject } from '../../tokens/jwt.ts'
import { openRemoteKeySet, type RemoteKeySet } from '../../tokens/remote-key-set.ts'
import {
  type Authentication,
  type Connector,
  type ConnectorDependencies,
  ConnectorError,
  type LoginAttempt,
  messageOf,
  type Outcome,
} from './connector.ts'
import type { OidcConnectorConfig } from './oidc-config.ts'
import { openClaimsReader, type ReadClaims, scopesOf } from './oidc-identity.ts'
import { openUpstreamProvider, type UpstreamProvider } from './oidc-provider.ts'

interface Upstream {
  readonly config: OidcConnectorConfig
  readonly redirectUri: string
  readonly provider: UpstreamProvider
  readonly readClaims: ReadClaims
}

/** Signs in at another OpenID provider (Keycloak, …): code, PKCE S256, state and nonce; ID tokens are verified. */
export function openOidcConnector(config: OidcConnectorConfig, dependencies: ConnectorDependencies): Connector {
  const upstream: Upstream = {
    config,
    redirectUri: config.redirectURI || dependencies.callbackUrl,
    provider: openUpstreamProvider(config, dependencies),
    readClaims: openClaimsReader(config),
  }
  return {
    callback: {
      loginUrl: (attempt) => loginUrl(upstream, attempt),
      handleCallback: (attempt, parameters) => handleCallback(upstream, attempt, parameters),
    },
    refresh: { refresh: ({ connectorData }) => refresh(upstream, connectorData) },
    logout: {
      async logoutUrl({ idTokenHint, state }) {
        const configuration = await upstream.provider.configuration()
        if (!configuration.serverMetadata().end_session_endpoint) return undefined
        return buildEndSessionUrl(configuration, {
          ...(idTokenHint === undefined ? {} : { id_token_hint: idTokenHint }),
          // `/callback` and `/logout/callback` stand side by side, whatever host the provider knows the broker by.
          post_logout_redirect_uri: upstream.redirectUri.replace(/\/callback$/, '/logout/callback'),
          state,
        }).href
      },
    },
    backchannelLogout: { verify: logoutTokenVerifier(upstream, dependencies) },
  }
}

/** Believes logout tokens for our client, as its ID tokens: by the issuer's published keys. */
function logoutTokenVerifier(
  { config, provider }: Upstream,
  { fetch, clock, log, usedLogoutTokens }: ConnectorDependencies,
) {
  let known: { readonly url: string; readonly keys: RemoteKeySet } | undefined
  return async (token: string): Promise<LogoutTokenOutcome> => {
    const server = await provider.configuration().then((found) => found.serverMetadata(), unavailable)
    const url = server?.jwks_uri
    if (!server || url === undefined) return { kind: 'unavailable' }
    if (known?.url !== url) known = { url, keys: openRemoteKeySet({ url, fetch, clock, log }) }
    const { keys } = known
    return verifyLogoutToken(token, {
      issuer: server.issuer,
      audiences: [config.clientID],
      keysFor: (jwt) => keys.keysFor(jwt),
      used: usedLogoutTokens,
      clock,
    })
  }
}

function unavailable(error: unknown): undefined {
  if (!(error instanceof ConnectorError)) throw error
}

async function loginUrl({ config, redirectUri, provider }: Upstream, attempt: LoginAttempt): Promise<string> {
  const configuration = await provider.configuration()
  return buildAuthorizationUrl(configuration, {
    redirect_uri: redirectUri,
    scope: askedScopes(config, attempt, configuration).join(' '),
    state: attempt.state,
    nonce: attempt.secretFor('nonce'),
    code_challenge: challengeOf(attempt.secretFor('pkce')),
    code_challenge_method: 'S256',
    ...(attempt.scopes.offlineAccess ? { access_type: 'offline', prompt: config.promptType } : {}),
    ...(config.acrValues.length > 0 ? { acr_values: config.acrValues.join(' ') } : {}),
  }).href
}

/** A program's sign-in must not end with the browser's: `offline_access` (OpenID Connect Core §11), where it is known. */
function askedScopes(
  config: OidcConnectorConfig,
  { scopes: { isOwnSession } }: LoginAttempt,
  configuration: Configuration,
): readonly string[] {
  const scopes = scopesOf(config)
  const isKnown = configuration.serverMetadata().scopes_supported?.includes('offline_access') === true
  return isOwnSession && isKnown && !scopes.includes('offline_access') ? [...scopes, 'offline_access'] : scopes
}

async function handleCallback(
  upstream: Upstream,
  attempt: LoginAttempt,
  parameters: URLSearchParams,
): Promise<Outcome> {
  const configuration = await upstream.provider.configuration()
  const url = new URL(upstream.redirectUri)
  url.search = parameters.toString()
  try {
    const tokens = await authorizationCodeGrant(configuration, url, {
      pkceCodeVerifier: attempt.secretFor('pkce'),
      expectedNonce: attempt.secretFor('nonce'),
      expectedState: attempt.state,
      idTokenExpected: true,
    })
    return await outcomeOf(upstream, { configuration, tokens })
  } catch (cause) {
    if (cause instanceof AuthorizationResponseError && cause.error === 'access_denied') {
      return { kind: 'refused', reason: 'denied', detail: cause.error_description ?? cause.error }
    }
    throw asConnectorError('sign-in', cause)
  }
}

async function refresh(upstream: Upstream, refreshToken: string | undefined): Promise<Outcome> {
  if (refreshToken === undefined) throw new ConnectorError('failed', 'the identity provider gave no refresh token')
  const configuration = await upstream.provider.configuration()
  try {
    const tokens = await refreshTokenGrant(configuration, refreshToken)
    const outcome = await outcomeOf(upstream, { configuration, tokens })
    // RFC 6749 §6: without a new refresh token the old one stays good.
    return outcome.kind === 'authenticated' ? { connectorData: refreshToken, ...outcome } : outcome
  } catch (cause) {
    if (cause instanceof ResponseBodyError && cause.error === 'invalid_grant') {
      return { kind: 'refused', reason: 'disabled', detail: cause.error_description ?? cause.error }
    }
    throw asConnectorError('refresh', cause)
  }
}

type Tokens = Awaited<ReturnType<typeof refreshTokenGrant>>

async function outcomeOf(
  upstream: Upstream,
  { configuration, tokens }: { configuration: Configuration; tokens: Tokens },
): Promise<Outcome> {
  const claims = await claimsOf(upstream, { configuration, tokens })
  const read = upstream.readClaims(claims)
  if (read.kind === 'unusable') throw new ConnectorError('failed', read.detail)
  if (read.kind === 'not-in-groups') {
    return { kind: 'refused', reason: 'groups', detail: 'user not a member of allowed groups' }
  }
  return {
    kind: 'authenticated',
    identity: read.identity,
    ...optionalText('connectorData', tokens.refresh_token),
    ...optionalText('upstreamIdToken', tokens.id_token),
    ...upstreamSession(tokens.claims()),
  }
}

function upstreamSession(claims: JsonObject | undefined): Pick<Authentication, 'upstreamSession'> {
  const { sid, sub } = claims ?? {}
  if (typeof sub !== 'string') return {}
  return { upstreamSession: { subject: sub, ...(typeof sid === 'string' ? { sid } : {}) } }
}

/** The ID token's claims, userinfo's over them where asked for; a refresh may bring no ID token, then userinfo alone. */
async function claimsOf(
  { config }: Upstream,
  { configuration, tokens }: { configuration: Configuration; tokens: Tokens },
): Promise<JsonObject> {
  const fromToken = tokens.claims()
  const canAsk = configuration.serverMetadata().userinfo_endpoint !== undefined
  if (!config.getUserInfo && (fromToken || !canAsk)) return fromToken ?? {}
  const userInfo = await fetchUserInfo(configuration, tokens.access_token, fromToken?.sub ?? skipSubjectCheck)
  return { ...fromToken, ...userInfo }
}

function asConnectorError(what: string, cause: unknown): ConnectorError {
  if (cause instanceof ConnectorError) return cause
  const isOAuth = cause instanceof AuthorizationResponseError || cause instanceof ResponseBodyError
  const reason = isOAuth ? `${cause.error} ${cause.error_description ?? ''}`.trim() : messageOf(cause)
  const isTransient = cause instanceof TypeError || (cause instanceof Error && cause.name === 'TimeoutError')
  return new ConnectorError(isTransient ? 'unavailable' : 'failed', `${what} failed upstream: ${reason}`)
}

function optionalText<Name extends string>(name: Name, value: string | undefined): { [key in Name]?: string } {
  // The literal has exactly the one member its type says.
  return (value === undefined ? {} : { [name]: value }) as { [key in Name]?: string }
}
