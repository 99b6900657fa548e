import { createHash } from 'node:crypto'
import { type Clock, epochSeconds } from '../kit/clock.ts'
import { type Random, randomUuid } from '../kit/random.ts'
import type { Collection } from '../store/records.ts'
import { publicKeyAlgorithms } from '../tokens/algorithms.ts'
import type { VerificationKey } from '../tokens/jwk.ts'
import type { JsonObject, ParsedJwt } from '../tokens/jwt.ts'
import { checkClaims, checkSignature } from '../tokens/verify.ts'

/** The member of `events` that makes a token a logout token (OpenID Connect Back-Channel Logout 1.0 §2.4). */
export const logoutEvent = 'http://schemas.openid.net/event/backchannel-logout'

/** “OPs are encouraged to use short expiration times in Logout Tokens, preferably at most two minutes” (§4). */
const lifetimeSeconds = 120
const skewSeconds = 60

/** What a logout token says, in the order Keycloak writes it; sign it with `typ: logout+jwt`. */
export function logoutTokenClaims(
  {
    issuer,
    clientId,
    subject,
    sid,
    events = {},
    more = {},
  }: {
    readonly issuer: string
    readonly clientId: string
    readonly subject: string
    /** Left out, the token ends every session of the user. */
    readonly sid?: string | undefined
    /** Further events, and further claims, of the part whose token it is. */
    readonly events?: JsonObject
    readonly more?: JsonObject
  },
  { clock, random }: { readonly clock: Clock; readonly random: Random },
): JsonObject {
  const iat = epochSeconds(clock)
  return {
    exp: iat + lifetimeSeconds,
    iat,
    jti: randomUuid(random),
    iss: issuer,
    aud: clientId,
    sub: subject,
    ...more,
    ...(sid === undefined ? {} : { sid }),
    events: { [logoutEvent]: {}, ...events },
  }
}

/** Whose logout tokens are believed, and who they must be for. */
export interface LogoutTokenRules {
  /** `undefined` leaves the issuer unverified. */
  readonly issuer: string | undefined
  /** The client's id, and other names it goes by. */
  readonly audiences: readonly string[]
  /** As for ID tokens; those with a public key unless given. */
  readonly algorithms?: readonly string[]
  /** The issuer's keys; `undefined` where they cannot be had now. */
  keysFor(jwt: ParsedJwt): Promise<readonly VerificationKey[] | undefined>
  /** Ids of the tokens that were taken, so that none is taken twice. */
  readonly used: Collection<true>
  readonly clock: Clock
}

/** What is to end: one session, or every session of a user that began up to `issuedAt` (milliseconds since the epoch). */
export interface LogoutNotice {
  readonly issuer: string
  readonly sid?: string
  readonly subject?: string
  readonly issuedAt: number
}

/** Whether a logout token is believed. `unavailable`: nobody can tell now, the sender should try again. */
export type LogoutTokenOutcome =
  | { readonly kind: 'believed'; readonly notice: LogoutNotice }
  | { readonly kind: 'refused'; readonly reason: string }
  | { readonly kind: 'unavailable' }

/** Validates a logout token (§2.6): like an ID token, and then that it is one, names someone, and is new. */
export async function verifyLogoutToken(token: string, rules: LogoutTokenRules): Promise<LogoutTokenOutcome> {
  const { issuer, audiences, algorithms = publicKeyAlgorithms, clock, used } = rules
  const nowSeconds = epochSeconds(clock)
  const expected = { nowSeconds, skewSeconds, audiences, algorithms, ...(issuer === undefined ? {} : { issuer }) }
  const checked = checkClaims(token, expected)
  if (!checked.ok) return { kind: 'refused', reason: checked.reason }
  const { claims, header } = checked.jwt
  const fault = faultOf(claims, { typ: header['typ'], nowSeconds })
  if (fault !== undefined) return { kind: 'refused', reason: fault }
  const keys = await rules.keysFor(checked.jwt)
  if (!keys) return { kind: 'unavailable' }
  const verified = checkSignature(checked.jwt, keys)
  if (!verified.ok) return { kind: 'refused', reason: verified.reason }
  const { iss, sid, sub, iat, exp, jti } = claims as unknown as LogoutClaims // checked by `parseJwt` and `faultOf`
  const isNew = await used.create(hashOf(`${iss}\0${jti}`), true, (exp + skewSeconds) * 1000)
  if (!isNew) return { kind: 'refused', reason: 'replayed' }
  return {
    kind: 'believed',
    notice: {
      issuer: iss,
      ...(sid === undefined ? {} : { sid }),
      ...(sub === undefined ? {} : { subject: sub }),
      issuedAt: iat * 1000,
    },
  }
}

interface LogoutClaims {
  readonly iss: string
  readonly iat: number
  readonly exp: number
  readonly jti: string
  readonly sid?: string
  readonly sub?: string
}

/** Why a token, genuine or not, is no logout token. */
function faultOf(claims: JsonObject, { typ, nowSeconds }: { typ: unknown; nowSeconds: number }): string | undefined {
  const { iss, iat, exp, jti, sid, sub, events } = claims
  if (typ !== undefined && !knownTypes.includes(String(typ).toLowerCase())) return 'wrong-typ'
  if (typeof iss !== 'string') return 'no-issuer'
  if (typeof iat !== 'number' || typeof exp !== 'number') return 'no-time'
  if (iat > nowSeconds + skewSeconds) return 'not-yet-valid'
  if (typeof jti !== 'string' || jti === '') return 'no-jti'
  if (sid !== undefined && typeof sid !== 'string') return 'bad-sid'
  if (sid === undefined && sub === undefined) return 'nobody-named'
  if (!isLogoutEvent(events)) return 'no-logout-event'
  // An ID token may be no logout token, so what only ID tokens have must be absent.
  return Object.hasOwn(claims, 'nonce') ? 'has-nonce' : undefined
}

/** Explicit typing is asked of new issuers (§2.4); older ones say `JWT` or nothing. */
const knownTypes: readonly string[] = ['logout+jwt', 'application/logout+jwt', 'jwt']

function isLogoutEvent(events: unknown): boolean {
  if (typeof events !== 'object' || events === null || !Object.hasOwn(events, logoutEvent)) return false
  const event: unknown = (events as JsonObject)[logoutEvent]
  return typeof event === 'object' && event !== null && !Array.isArray(event)
}

function hashOf(text: string): string {
  return createHash('sha256').update(text).digest('base64url')
}
