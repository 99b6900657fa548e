import type { Session } from '../session.ts'
import type { ProxyConfig } from '../typed-config.ts'
import { idTokenClaims } from './id-token-claims.ts'

/** How long before its death a token is renewed, so that it does not die on its way through the gateway. */
const renewBefore = 10_000

/**
 * When the session's tokens are dead, milliseconds since the epoch: with its ID token, where it has one; with its access
 * token where that is all it has or where apps are given it. `Infinity` for a session without tokens.
 */
export function diesAt(session: Session, config: ProxyConfig): number {
  if (!config.compat) return tokensDieAt(session, config)
  // The original looks at `expires_on` alone, and only when it refreshes (pkg/middleware/stored_session.go).
  const { cookie_refresh: refresh } = config
  const { createdAt, expiresAt = Number.POSITIVE_INFINITY } = session
  return refresh > 0 ? Math.max(expiresAt, createdAt + refresh) : Number.POSITIVE_INFINITY
}

function tokensDieAt(session: Session, { pass_access_token: passesAccessToken }: ProxyConfig): number {
  const { idToken, accessToken, expiresAt = Number.POSITIVE_INFINITY } = session
  const accessEnd = accessToken === undefined ? Number.POSITIVE_INFINITY : expiresAt
  if (idToken === undefined) return accessEnd
  const exp = idTokenClaims(session)?.['exp']
  const idEnd = typeof exp === 'number' ? exp * 1000 : expiresAt
  return passesAccessToken ? Math.min(idEnd, accessEnd) : idEnd
}

/**
 * Whether a session's provider can be asked about it: for fresh tokens by a refresh token, and providers without ID
 * tokens for whether the access token still counts.
 */
export function canRenew({ refreshToken, accessToken, idToken }: Session): boolean {
  return Boolean(refreshToken) || (accessToken !== undefined && idToken === undefined)
}

/** When the session should be refreshed; `Infinity` where it cannot be. */
export function renewsAt(session: Session, config: ProxyConfig): number {
  const { cookie_refresh: refresh } = config
  if (!canRenew(session)) return Number.POSITIVE_INFINITY
  const byAge = refresh > 0 ? session.createdAt + refresh : Number.POSITIVE_INFINITY
  if (!session.refreshToken) return byAge
  return config.compat ? byAge : Math.min(diesAt(session, config) - renewBefore, byAge)
}

/** How long a session without an end of its own (`cookie_expire` 0) is kept. */
export const yearSeconds = 365 * 86_400

/** When the session's cookie is no longer taken; a year for cookies without an end. */
export function cookieEndsAt(session: Session, { cookie_expire: expire }: ProxyConfig): number {
  return session.createdAt + (expire > 0 ? expire : yearSeconds * 1000)
}
