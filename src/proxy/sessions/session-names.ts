import { hash } from 'node:crypto'
import { namesOfClaims, namesOfToken, type SessionNames } from '../../oidc/ended-sessions.ts'
import { type JsonObject, parseJwt } from '../../tokens/jwt.ts'
import type { Session } from '../session.ts'
import { idTokenClaims } from './id-token-claims.ts'

/**
 * What names a session for good: its login's nonce, which a refresh keeps, else its cookie's text (sessions of
 * oauth2-proxy always have a nonce).
 */
export function sessionId(session: Session, cookieText: string): string {
  return session.nonce ? `n:${digest(session.nonce)}` : `c:${digest(cookieText)}`
}

/** Every name a session goes by: its own, and those by which its provider speaks of it. */
export function namesOfSession(session: Session, id: string): SessionNames {
  const { idToken, createdAt, user, additionalClaims } = session
  const claims = idTokenClaims(session)
  const known = claims && idToken !== undefined ? namesOfToken(claims, idToken) : undefined
  const names = known ?? { ...namesOfClaims({ ...additionalClaims, sub: user }), since: createdAt }
  return { ...names, ids: [id, ...names.ids] }
}

/** The names of a token that was verified before it came here; `undefined` for one that is no JWT. */
export function namesOfIdToken(token: string): SessionNames | undefined {
  const claims = claimsOf(token)
  return claims && namesOfToken(claims, token)
}

/** The session without its tokens, which its provider still finds by the claims that name it. */
export function withoutTokens(session: Session): Session {
  const { accessToken: _access, idToken = '', refreshToken: _refresh, ...rest } = session
  const { iss, sid } = claimsOf(idToken) ?? {}
  return sid === undefined ? rest : { ...rest, additionalClaims: { ...rest.additionalClaims, iss, sid } }
}

function claimsOf(token: string): JsonObject | undefined {
  const jwt = parseJwt(token)
  return 'malformed' in jwt ? undefined : jwt.claims
}

function digest(value: string | Uint8Array): string {
  return hash('sha256', value, 'base64url')
}
