import { type JsonObject, parseJwt } from '../../tokens/jwt.ts'
import type { Session } from '../session.ts'

const read = new WeakMap<Session, JsonObject | undefined>()

/**
 * The claims of a session's ID token, which was verified when it came; taken apart once, since a session is asked
 * several times. `undefined` without an ID token, or for one that is no JWT.
 */
export function idTokenClaims(session: Session): JsonObject | undefined {
  if (session.idToken === undefined) return undefined
  if (read.has(session)) return read.get(session)
  const jwt = parseJwt(session.idToken)
  const claims = 'malformed' in jwt ? undefined : jwt.claims
  read.set(session, claims)
  return claims
}
