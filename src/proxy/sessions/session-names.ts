import { createHash } from 'node:crypto'
import { namesOfToken, type SessionNames } from '../../oidc/ended-sessions.ts'
import { parseJwt } from '../../tokens/jwt.ts'
import type { Session } from '../session.ts'

/**
 * What names a session for good: its login's nonce, which a refresh keeps, else its cookie's text (sessions of
 * oauth2-proxy always have a nonce).
 */
export function sessionId(session: Session, cookieText: string): string {
  return session.nonce ? `n:${digest(session.nonce)}` : `c:${digest(cookieText)}`
}

/** Every name a session goes by: its own, and those of its ID token, by which its provider speaks of it. */
export function namesOfSession({ idToken, createdAt }: Session, id: string): SessionNames {
  const ofToken = idToken === undefined ? undefined : namesOfIdToken(idToken)
  return ofToken ? { ...ofToken, ids: [id, ...ofToken.ids] } : { ids: [id], since: createdAt }
}

/** The names of a token that was verified before it came here; `undefined` for one that is no JWT. */
export function namesOfIdToken(token: string): SessionNames | undefined {
  const jwt = parseJwt(token)
  return 'malformed' in jwt ? undefined : namesOfToken(jwt.claims, token)
}

function digest(value: string | Uint8Array): string {
  return createHash('sha256').update(value).digest('base64url')
}
