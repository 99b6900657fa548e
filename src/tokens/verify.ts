import { algorithms, fitsAlgorithm, verifyBytes } from './algorithms.ts'
import type { VerificationKey } from './jwk.ts'
import { audiencesOf, type JsonObject, type JwtMalformation, type ParsedJwt, parseJwt } from './jwt.ts'

/** Why a token was refused. */
export type TokenRefusal =
  | { readonly reason: 'malformed'; readonly malformed: JwtMalformation }
  | { readonly reason: 'alg-not-supported' | 'issuer-mismatch' | 'expired' | 'not-yet-valid' | 'audience-mismatch' }
  | { readonly reason: 'no-keys' | 'no-matching-key' | 'bad-signature' }

/** The outcome of verifying: the claims, or the reason they are not to be believed. */
export type Verification =
  | { readonly ok: true; readonly jwt: ParsedJwt; readonly claims: JsonObject }
  | ({ readonly ok: false } & TokenRefusal)

/** What a token must satisfy. */
export interface Expectation {
  /** Exact `iss`; absent means any. */
  readonly issuer?: string
  /** One of these must be among `aud`; absent means any. */
  readonly audiences?: readonly string[]
  /** Epoch seconds. */
  readonly nowSeconds: number
  /** Clock skew allowed for `exp` and `nbf`. */
  readonly skewSeconds: number
  /** Allowed `alg`s; absent means every supported one. */
  readonly algorithms?: readonly string[]
  /** `lenient`: as Envoy (see `parseJwt`), to which extensions that may not be ignored (`crit`) are nothing, and `exp` 0 is never. */
  readonly reading?: 'strict' | 'lenient'
}

/**
 * Checks form, issuer, times and audience in Envoy's order (jwt_authn: iss, nbf/exp, aud), everything but the
 * signature. @returns the parsed token, or why not.
 */
export function checkClaims(
  token: string,
  expected: Expectation,
): { ok: true; jwt: ParsedJwt } | ({ ok: false } & TokenRefusal) {
  const jwt = parseJwt(token, expected.reading)
  if ('malformed' in jwt) return { ok: false, reason: 'malformed', malformed: jwt.malformed }
  const { alg, crit } = jwt.header
  const isAllowed = Object.hasOwn(algorithms, alg) && (expected.algorithms?.includes(alg) ?? true)
  const isUnderstood = crit === undefined || expected.reading === 'lenient' // RFC 7515 §4.1.11
  if (!isAllowed || !isUnderstood) return { ok: false, reason: 'alg-not-supported' }
  const { iss, exp: end, nbf } = jwt.claims as { iss?: string; exp?: number; nbf?: number } // types checked by parseJwt
  const exp = expected.reading === 'lenient' && end !== undefined && Math.trunc(end) === 0 ? undefined : end
  if (expected.issuer !== undefined && iss !== expected.issuer) return { ok: false, reason: 'issuer-mismatch' }
  if (nbf !== undefined && expected.nowSeconds + expected.skewSeconds < nbf)
    return { ok: false, reason: 'not-yet-valid' }
  if (exp !== undefined && expected.nowSeconds > exp + expected.skewSeconds) return { ok: false, reason: 'expired' }
  if (expected.audiences && !audiencesOf(jwt.claims).some((one) => expected.audiences?.includes(one))) {
    return { ok: false, reason: 'audience-mismatch' }
  }
  return { ok: true, jwt }
}

/** Checks the signature: `kid` equal when both sides have it, `alg` equal when the key names one. */
export function checkSignature(jwt: ParsedJwt, keys: readonly VerificationKey[]): Verification {
  if (keys.length === 0) return { ok: false, reason: 'no-keys' }
  const { kid, alg } = jwt.header
  const candidates = keys.filter(
    (key) =>
      (kid === undefined || key.kid === undefined || key.kid === kid) &&
      (key.alg ?? alg) === alg &&
      fitsAlgorithm(key.key, alg),
  )
  if (candidates.length === 0) return { ok: false, reason: 'no-matching-key' }
  const isGenuine = candidates.some(({ key }) => verifyBytes(jwt.signingInput, jwt.signature, key, alg))
  return isGenuine ? { ok: true, jwt, claims: jwt.claims } : { ok: false, reason: 'bad-signature' }
}

/** Claims, then signature. */
export function verifyJwt(token: string, keys: readonly VerificationKey[], expected: Expectation): Verification {
  const checked = checkClaims(token, expected)
  return checked.ok ? checkSignature(checked.jwt, keys) : checked
}
