import { parseJwt } from '../../tokens/jwt.ts'
import type { ProxyConfig } from '../config.ts'
import type { Session } from '../session.ts'

/** How long before its death a token is renewed, so that it does not die on its way through the gateway. */
const renewBefore = 10_000

/** When the session's tokens are dead, milliseconds since the epoch; `Infinity` for a session without tokens. */
export function diesAt({ idToken, accessToken, expiresAt }: Session): number {
  if (idToken === undefined && accessToken === undefined) return Number.POSITIVE_INFINITY
  const jwt = idToken === undefined ? undefined : parseJwt(idToken)
  const exp = jwt && !('malformed' in jwt) ? jwt.claims['exp'] : undefined
  return Math.min(
    typeof exp === 'number' ? exp * 1000 : Number.POSITIVE_INFINITY,
    expiresAt ?? Number.POSITIVE_INFINITY,
  )
}

/** When the session should be refreshed; `Infinity` where it cannot be. */
export function renewsAt(session: Session, { cookie_refresh: refresh }: ProxyConfig): number {
  if (!session.refreshToken) return Number.POSITIVE_INFINITY
  const byAge = refresh > 0 ? session.createdAt + refresh : Number.POSITIVE_INFINITY
  return Math.min(diesAt(session) - renewBefore, byAge)
}

/** When the session's cookie is no longer taken; a year for cookies without an end. */
export function cookieEndsAt(session: Session, { cookie_expire: expire }: ProxyConfig): number {
  return session.createdAt + (expire > 0 ? expire : 365 * 86_400_000)
}
