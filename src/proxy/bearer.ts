import type { Fetch } from '../http/part.ts'
import { type Clock, epochSeconds } from '../kit/clock.ts'
import { GatehouseError } from '../kit/errors.ts'
import type { Log } from '../kit/log.ts'
import { type JsonObject, parseJwt } from '../tokens/jwt.ts'
import { openRemoteKeySet, type RemoteKeySet } from '../tokens/remote-key-set.ts'
import type { AccountTokens } from './kubernetes/account-tokens.ts'
import { extraIssuerRules, verifyIdToken } from './provider/id-token.ts'
import type { Provider } from './provider/provider.ts'
import { parseJsonObject } from './provider/token-endpoint.ts'
import type { Session } from './session.ts'
import type { ProxyConfig } from './typed-config.ts'

/** What an `Authorization` header turned out to be. */
export type BearerOutcome =
  | { readonly kind: 'session'; readonly session: Session; readonly token: string }
  /** No JWT, or one nobody vouches for. */
  | { readonly kind: 'refused'; readonly reasons: readonly string[] }
  /** An issuer that could vouch for it does not answer. */
  | { readonly kind: 'unavailable' }

/** Verifies bearer tokens: of service accounts, of the provider and of `extra_jwt_issuers`. */
export interface BearerVerifier {
  /** Whether any are looked at. */
  readonly isOn: boolean
  verify(authorization: string): Promise<BearerOutcome>
}

type Verify = (token: string) => Promise<{ session: Session } | { refused: string }>

/** Tries the provider, then each extra issuer (oauth2-proxy pkg/middleware/jwt_session.go). */
export function openBearerVerifier(options: {
  config: ProxyConfig
  provider: Provider
  fetch: Fetch
  clock: Clock
  log: Log
  /** Knows service accounts of the cluster, where their tokens are accepted. */
  accountTokens?: AccountTokens | undefined
}): BearerVerifier {
  const { config, provider, accountTokens } = options
  const ofPeople: Verify[] = [
    (token) => provider.sessionOfBearer(token),
    ...config.extra_jwt_issuers.map((pair) => extraIssuer(pair, options)),
  ]
  const verifiers = [
    ...(accountTokens ? [accountTokens.verify] : []),
    ...(config.skip_jwt_bearer_tokens ? ofPeople : []),
  ]
  return {
    isOn: verifiers.length > 0,
    async verify(authorization) {
      const token = tokenOf(authorization)
      if (token === undefined) return { kind: 'refused', reasons: ['not-a-jwt'] }
      const reasons: string[] = []
      for (const verify of verifiers) {
        const outcome = await verify(token).catch(unavailable)
        if ('session' in outcome) return { kind: 'session', session: outcome.session, token }
        reasons.push(outcome.refused)
      }
      return reasons.includes('no-keys') ? { kind: 'unavailable' } : { kind: 'refused', reasons }
    },
  }
}

function unavailable(error: unknown): { refused: string } {
  if (error instanceof GatehouseError) {
    const isAway = error.code === 'provider_unavailable' || error.code === 'cluster_unavailable'
    return { refused: isAway ? 'no-keys' : error.code }
  }
  throw error
}

/**
 * The JWT in the header: `Bearer <jwt>`, or `Basic` with it as the user (password empty or `x-oauth-basic`) or as the
 * password. Exactly one space, scheme in this very case, as in the original.
 */
function tokenOf(authorization: string): string | undefined {
  const [scheme, value = '', ...more] = authorization.split(' ')
  if (more.length > 0) return undefined
  if (scheme === 'Bearer') return isJwt(value) ? value : undefined
  if (scheme !== 'Basic') return undefined
  const text = Buffer.from(value, 'base64').toString('utf8')
  const colon = text.indexOf(':')
  const [user, password] = colon < 0 ? ['', ''] : [text.slice(0, colon), text.slice(colon + 1)]
  if (isJwt(user) && (password === '' || password === 'x-oauth-basic')) return user
  return isJwt(password) ? password : undefined
}

function isJwt(value: string): boolean {
  return /^ey[A-Za-z0-9_-]*\.ey[A-Za-z0-9_-]*\.[A-Za-z0-9_-]+$/.test(value)
}

/** The least time between two attempts to discover an issuer, in milliseconds. */
const discoveryPause = 10_000

/** `issuer=audience`: keys by discovery, else at the well-known place; fixed claims. */
function extraIssuer(
  pair: string,
  { config, fetch, clock, log }: { config: ProxyConfig; fetch: Fetch; clock: Clock; log: Log },
): Verify {
  const equals = pair.indexOf('=')
  const issuer = pair.slice(0, equals)
  const rules = extraIssuerRules(config, { issuer, audience: pair.slice(equals + 1) })
  let keySet: Promise<RemoteKeySet> | undefined
  let triedAt = Number.NEGATIVE_INFINITY

  /** An issuer that is away at first is asked again, but not with every token. */
  function loadKeySet(): Promise<RemoteKeySet> {
    if (!keySet && clock.now() - triedAt < discoveryPause) return Promise.reject(issuerAway())
    triedAt = clock.now()
    keySet ??= jwksUrlOf(issuer, fetch).then((url) => openRemoteKeySet({ url, fetch, clock, log }))
    keySet.catch(() => {
      keySet = undefined
    })
    return keySet
  }

  return async (token) => {
    const jwt = parseJwt(token)
    if ('malformed' in jwt || jwt.claims['iss'] !== issuer) return { refused: 'issuer-mismatch' }
    const verified = await verifyIdToken(token, { rules, keySet: await loadKeySet(), nowSeconds: epochSeconds(clock) })
    if (!verified.ok) return { refused: verified.reason }
    return sessionOfClaims(verified.claims, token, clock.now())
  }
}

/** @throws GatehouseError `provider_unavailable` where nobody answers. */
async function jwksUrlOf(issuer: string, fetch: Fetch): Promise<string> {
  const base = issuer.replace(/\/$/, '')
  const url = `${base}/.well-known/openid-configuration`
  const response = await fetch(url, { redirect: 'manual', signal: AbortSignal.timeout(5000) }).catch(issuerAway)
  if (response instanceof GatehouseError || response.status >= 500) throw issuerAway()
  const { jwks_uri: found } = parseJsonObject(await response.text().catch(() => ''))
  // As in the original: without discovery the keys are looked for at a fixed place.
  return typeof found === 'string' ? found : `${base}/.well-known/jwks.json`
}

function issuerAway(): GatehouseError {
  return new GatehouseError('provider_unavailable', 'an issuer of bearer tokens does not answer')
}

function sessionOfClaims(claims: JsonObject, token: string, now: number): { session: Session } | { refused: string } {
  const { sub, email, email_verified: verified, groups, preferred_username: preferredUsername, exp } = claims
  if (verified !== undefined && verified !== true) return { refused: 'email-not-verified' }
  const isGroupList = Array.isArray(groups) && groups.every((one) => typeof one === 'string')
  if (groups !== undefined && groups !== null && !isGroupList) return { refused: 'groups-not-a-list' }
  const user = typeof sub === 'string' ? sub : ''
  return {
    session: {
      createdAt: now,
      expiresAt: Number(exp) * 1000,
      accessToken: token,
      idToken: token,
      user,
      email: typeof email === 'string' && email !== '' ? email : user,
      ...(isGroupList ? { groups } : {}),
      ...(typeof preferredUsername === 'string' ? { preferredUsername } : {}),
    },
  }
}
