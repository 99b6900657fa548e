import { epochSeconds } from '../../kit/clock.ts'
import type { JsonObject } from '../../tokens/jwt.ts'
import { verifyJwt } from '../../tokens/verify.ts'
import type { Client } from '../model.ts'
import type { Realm } from '../realm.ts'
import type { Session } from '../session.ts'
import type { User } from '../user.ts'

/** `exp` is the first second a token is dead (RFC 7519 §4.1.4: “on or after”). */
const atExpiry = -1

/** The claims of an access token of this realm, genuine, not expired, not revoked; `undefined` otherwise. Sessions are not asked. */
export async function verifyAccessToken(realm: Realm, token: string): Promise<JsonObject | undefined> {
  const keys = await realm.keys.verificationKeys()
  const nowSeconds = epochSeconds(realm.clock)
  const verified = verifyJwt(token, keys, { issuer: realm.issuer, nowSeconds, skewSeconds: atExpiry })
  if (!verified.ok || verified.claims['typ'] !== 'Bearer') return undefined
  return (await realm.revokedTokens.find(String(verified.claims['jti']))) ? undefined : verified.claims
}

/** The claims of an ID token of this realm, expired or not. */
export async function verifyIdToken(realm: Realm, token: string): Promise<JsonObject | undefined> {
  const keys = await realm.keys.verificationKeys()
  const nowSeconds = epochSeconds(realm.clock)
  const verified = verifyJwt(token, keys, { issuer: realm.issuer, nowSeconds, skewSeconds: Number.POSITIVE_INFINITY })
  return verified.ok && verified.claims['typ'] === 'ID' ? verified.claims : undefined
}

/** The outcome of reading a token that this realm signed for itself. */
export type OwnToken = { readonly kind: 'ok'; readonly claims: JsonObject } | { readonly kind: 'invalid' | 'expired' }

/** Reads a refresh token, identity cookie, or other token under the realm's own key, of one of these `typ`s. */
export function verifyOwnToken(realm: Realm, token: string, types: readonly string[]): OwnToken {
  const { kid, alg, privateKey } = realm.ownKey
  const verified = verifyJwt(token, [{ kid, alg, key: privateKey }], {
    issuer: realm.issuer,
    nowSeconds: epochSeconds(realm.clock),
    skewSeconds: atExpiry,
    algorithms: [alg],
  })
  if (!verified.ok) return { kind: verified.reason === 'expired' ? 'expired' : 'invalid' }
  return types.includes(String(verified.claims['typ'])) ? { kind: 'ok', claims: verified.claims } : { kind: 'invalid' }
}

/** Who an access token speaks for right now. */
export interface TokenHolder {
  readonly client: Client
  readonly user: User
  readonly session: Session | undefined
  readonly acr: string | undefined
}

/** Why nobody stands behind a token any more. */
export type NoHolder = 'client' | 'session' | 'user'

/** Looks up the client, session and user of a verified token; a token whose session ended, or whose user is disabled, has no holder. */
export async function loadTokenHolder(realm: Realm, claims: JsonObject): Promise<TokenHolder | NoHolder> {
  const { azp, sid, iat } = claims as { azp?: unknown; sid?: unknown; iat?: number } // iat's type is checked by parseJwt
  const client = realm.model.clients.get(String(azp))
  if (!client?.enabled) return 'client'
  if (typeof sid !== 'string') {
    const user = await realm.users.findServiceAccount(client.id)
    return user?.enabled ? { client, user, session: undefined, acr: undefined } : 'user'
  }
  const isOffline = claims['typ'] === 'Offline' || String(claims['jti']).startsWith('of')
  const found = await realm.sessions.findForClient(sid, client.id, isOffline)
  // A session that a client has left and come back to does not revive the tokens of before.
  if (!found || (iat ?? 0) < Math.floor(found.clientSession.startedAt / 1000)) return 'session'
  const user = await realm.users.load(found.session.userId)
  if (!user?.enabled || (iat ?? 0) < user.notBefore) return 'user'
  return { client, user, session: found.session, acr: found.clientSession.acr }
}
