import { type Clock, epochSeconds } from '../kit/clock.ts'
import { type EndedSessions, namesOfToken, type SessionNames } from '../oidc/ended-sessions.ts'
import type { Claims } from '../policy/facts.ts'
import type { JwtRule } from '../policy/request-authentication.ts'
import { audiencesOf } from '../tokens/jwt.ts'
import { checkClaims, checkSignature } from '../tokens/verify.ts'
import { claimHeaders } from './claim-headers.ts'
import type { GatewayMode } from './gateway-mode.ts'
import type { KeySource } from './key-sources.ts'
import type { RefusalReason } from './token-refusals.ts'

/** A token that was verified: what policies and apps are told of it. */
export interface VerifiedToken {
  /** The claims, those written with spaces split into lists. */
  readonly claims: Claims
  /** Headers to set, flat. */
  readonly headers: readonly string[]
  /** What it is called where its session may have been ended before its time. */
  readonly names: SessionNames
  /** Whether the token itself is forwarded. */
  readonly keepsToken: boolean
  /** Index of the rule that verified it, in the order rules are tried. */
  readonly ruleIndex: number
  /** It is a service account's: not that rule verified it, but who knows the cluster; told onward as that rule would. */
  readonly isAccount?: boolean
  /** Milliseconds since the epoch between which it may be used without verifying again. */
  readonly notBefore: number
  readonly notAfter: number
}

/** A rule of a RequestAuthentication with its keys at hand. */
export interface TokenRule {
  readonly index: number
  readonly rule: JwtRule
  /** As `bareAudience` makes them. */
  readonly audiences: readonly string[]
  readonly keys: KeySource
}

/** Envoy's default `clock_skew_seconds`. */
const skewSeconds = 60
/** How long a verified token is believed without looking at the keys again. */
const believedMilliseconds = 300_000

/**
 * Checks a token against one rule: form, issuer, times, audience, then the signature (Envoy jwt_authn's order); last,
 * where that is known, whether its session has ended.
 */
export async function verifyToken(
  { rule, index, keys, audiences }: TokenRule,
  text: string,
  { clock, mode, ended }: { clock: Clock; mode: GatewayMode; ended?: EndedSessions | undefined },
): Promise<VerifiedToken | RefusalReason> {
  const issuer = rule.issuer === '' ? {} : { issuer: rule.issuer }
  const reading = mode === 'istio' ? 'lenient' : 'strict'
  const checked = checkClaims(text, { ...issuer, nowSeconds: epochSeconds(clock), skewSeconds, reading })
  if (!checked.ok) return checked
  const { claims } = checked.jwt
  if (audiences.length > 0 && !audiencesOf(claims).some((one) => audiences.includes(bareAudience(one)))) {
    return { reason: 'audience-mismatch' }
  }
  const known = await keys.keysFor(checked.jwt)
  if (!known) return { reason: 'keys-unavailable' }
  const verification = checkSignature(checked.jwt, known)
  if (!verification.ok) return verification
  const names = namesOfToken(claims, text)
  const ending = ended && (await endingOf(names, ended))
  if (ending) return { reason: ending }
  const payload = checked.jwt.signingInput.slice(checked.jwt.signingInput.indexOf('.') + 1)
  return {
    claims: splitClaims(claims, rule.spaceDelimitedClaims),
    headers: claimHeaders(rule, claims, payload, mode),
    names,
    keepsToken: rule.forwardOriginalToken,
    ruleIndex: index,
    ...lifetime(claims, clock.now()),
  }
}

/** Whether the session of a token has ended, as a refusal. */
export async function endingOf(names: SessionNames, ended: EndedSessions) {
  try {
    return (await ended.hasEnded(names)) ? 'session-ended' : undefined
  } catch {
    return 'sessions-unavailable'
  }
}

/** Audiences are compared without their scheme and one trailing slash (Envoy jwt_verify_lib check_audience). */
export function bareAudience(audience: string): string {
  return audience.replace(/^https?:\/\//, '').replace(/\/$/, '')
}

function lifetime(claims: Claims, now: number): { readonly notBefore: number; readonly notAfter: number } {
  const { exp, nbf } = claims as { exp?: number; nbf?: number } // types checked by parseJwt
  const end = exp === undefined ? Number.POSITIVE_INFINITY : (exp + skewSeconds) * 1000
  return {
    notBefore: nbf === undefined ? 0 : (nbf - skewSeconds) * 1000,
    notAfter: Math.min(now + believedMilliseconds, end),
  }
}

function splitClaims(claims: Claims, names: readonly string[]): Claims {
  const split: Record<string, unknown> = {}
  for (const name of ['scope', 'permission', ...names]) {
    const value = Object.hasOwn(claims, name) ? claims[name] : undefined
    if (typeof value === 'string') split[name] = value.split(' ')
  }
  return { ...claims, ...split }
}
