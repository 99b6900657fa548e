import { type Clock, epochSeconds } from '../kit/clock.ts'
import { type Random, randomText } from '../kit/random.ts'
import { halfHash } from '../oidc/half-hash.ts'
import type { JsonObject } from '../tokens/jwt.ts'
import type { KeyRing } from '../tokens/key-ring.ts'
import { signJwt } from '../tokens/sign.ts'
import { peerOfScope } from './auth-request.ts'
import type { Identity } from './connectors/connector.ts'
import type { Grant } from './grant.ts'
import { packPair } from './protobuf-pair.ts'

/** Whom tokens are about and for whom they are. */
export interface TokenSubject {
  readonly identity: Identity
  readonly connectorId: string
  readonly clientId: string
  readonly scopes: readonly string[]
  readonly nonce: string
  /** The broker session, where sessions are on. */
  readonly sid?: string
}

/** A pair of tokens. `expiresIn` in seconds. */
export interface IssuedTokens {
  readonly accessToken: string
  readonly idToken: string
  readonly expiresIn: number
}

/** Signs tokens of one issuer. */
export type IssueTokens = (subject: TokenSubject, options?: { readonly code?: string }) => Promise<IssuedTokens>

/**
 * Dex's tokens (dex server/oauth2.go `newIDToken`): the access token is a second JWT with the same claims, whose
 * `at_hash` is of a random text; the ID token carries `at_hash` of the access token and, with a code, `c_hash`.
 * `lifetime` in milliseconds.
 */
export function openTokenIssuer({
  issuer,
  keys,
  lifetime,
  clock,
  random,
}: {
  issuer: string
  keys: KeyRing
  lifetime: number
  clock: Clock
  random: Random
}): IssueTokens {
  return async (subject, { code } = {}) => {
    const key = await keys.current()
    const iat = epochSeconds(clock)
    const exp = Math.floor((clock.now() + lifetime) / 1000)
    const claimsWith = (hashes: JsonObject) => claimsOf(subject, { issuer, iat, exp, hashes })
    const accessToken = await signJwt(claimsWith({ at_hash: halfHash(randomText(random, 16), key.alg) }), key)
    const hashes = {
      at_hash: halfHash(accessToken, key.alg),
      ...(code === undefined ? {} : { c_hash: halfHash(code, key.alg) }),
    }
    const idToken = await signJwt(claimsWith(hashes), key)
    return { accessToken, idToken, expiresIn: exp - iat }
  }
}

/** Whom the tokens of a grant are about. */
export function subjectOf({ request, connectorId, identity, sid }: Grant): TokenSubject {
  const { clientId, scopes, nonce } = request
  return { identity, connectorId, clientId, scopes, nonce, ...(sid === undefined ? {} : { sid }) }
}

/** The claims in Dex's order; empty ones are left out as Go's `omitempty` does. */
function claimsOf(
  { identity, connectorId, clientId, scopes, nonce, sid }: TokenSubject,
  { issuer, iat, exp, hashes }: { issuer: string; iat: number; exp: number; hashes: JsonObject },
): JsonObject {
  const { userId, username, preferredUsername, email, emailVerified, groups } = identity
  const has = (scope: string) => scopes.includes(scope)
  const audience = audienceOf(clientId, scopes)
  return {
    iss: issuer,
    sub: packPair(userId, connectorId),
    aud: audience.length === 1 ? audience[0] : audience,
    exp,
    iat,
    ...(audience.length > 1 ? { azp: clientId } : {}),
    ...(nonce === '' ? {} : { nonce }),
    ...hashes,
    ...(has('email') && email !== '' ? { email } : {}),
    ...(has('email') ? { email_verified: emailVerified } : {}),
    ...(has('groups') && groups.length > 0 ? { groups } : {}),
    ...(has('profile') && username !== '' ? { name: username } : {}),
    ...(has('profile') && preferredUsername !== '' ? { preferred_username: preferredUsername } : {}),
    ...(has('federated:id') ? { federated_claims: { connector_id: connectorId, user_id: userId } } : {}),
    ...(sid === undefined ? {} : { sid }),
  }
}

/** The peers asked for, then the client itself (dex server/oauth2.go `getAudience`). */
function audienceOf(clientId: string, scopes: readonly string[]): string[] {
  const peers = scopes.flatMap((scope) => peerOfScope(scope) ?? [])
  if (peers.length === 0) return [clientId]
  return peers.includes(clientId) ? peers : [...peers, clientId]
}
