import type { Fetch } from '../http/part.ts'
import { GenerationCache } from '../kit/cache.ts'
import { type Clock, epochSeconds } from '../kit/clock.ts'
import type { Log } from '../kit/log.ts'
import type { Claims } from '../policy/facts.ts'
import type { JwtRule } from '../policy/request-authentication.ts'
import { audiencesOf } from '../tokens/jwt.ts'
import { checkClaims, checkSignature } from '../tokens/verify.ts'
import { claimHeaders } from './claim-headers.ts'
import type { GatewayMode } from './config.ts'
import { type KeySource, openKeySource } from './key-sources.ts'
import { type FoundToken, findTokens, locationsOf, type TokenLocation, type TokenSource } from './token-locations.ts'
import { type Refusal, type RefusalReason, refusalOf } from './token-refusals.ts'

/** A token that was verified: what policies and apps are told of it. */
export interface VerifiedToken {
  /** The claims, those written with spaces split into lists. */
  readonly claims: Claims
  /** Headers to set, flat. */
  readonly headers: readonly string[]
  /** Whether the token itself is forwarded. */
  readonly keepsToken: boolean
  /** Index of the rule that verified it, in the order rules are tried. */
  readonly ruleIndex: number
  /** Milliseconds since the epoch between which it may be used without verifying again. */
  readonly notBefore: number
  readonly notAfter: number
}

/** What came of looking for tokens. */
export type Authentication =
  | { readonly kind: 'none' }
  | {
      readonly kind: 'verified'
      readonly token: VerifiedToken
      /** Every place the rule found a token in. */
      readonly found: readonly FoundToken[]
    }
  | { readonly kind: 'refused'; readonly refusal: Refusal }

/** Verifies the tokens of requests as the merged RequestAuthentications of a workload ask. */
export interface Authenticator {
  /** Answers at once where there is no token or a token verified before, else when its keys are there. */
  authenticate(source: TokenSource): Authentication | Promise<Authentication>
  /** Whether some rule takes a token from this request's header of that name. */
  readsTokenFrom(header: string, source: TokenSource): boolean
  /** Header names each rule sets, by rule index. */
  readonly outputs: readonly (readonly string[])[]
}

/** Rules that look in the same places. */
interface LocationGroup {
  readonly locations: readonly TokenLocation[]
  readonly rules: readonly number[]
  /** Outcomes for requests whose only token is this one, found by this group alone; by token text. */
  readonly verified: GenerationCache<VerifiedToken>
}

interface CompiledRule {
  readonly index: number
  readonly rule: JwtRule
  readonly audiences: readonly string[]
  readonly keys: KeySource
  readonly group: LocationGroup
}

const none: Authentication = { kind: 'none' }
/** Envoy's default `clock_skew_seconds`. */
const skewSeconds = 60
/** How long a verified token is believed without looking at the keys again. */
const believedMilliseconds = 300_000
const cachedTokens = 5_000
/** Longer tokens are verified each time, so that memory stays bounded. */
const longestCachedToken = 16_384

/** Compiles merged rules; nothing is fetched before the first token comes. */
export function openAuthenticator(
  jwtRules: readonly JwtRule[],
  { mode, clock, log, fetch }: { mode: GatewayMode; clock: Clock; log: Log; fetch: Fetch },
): Authenticator {
  const groups = groupByLocations(jwtRules)
  const rules = jwtRules.map((rule, index): CompiledRule => {
    const group = groups.find((one) => one.rules.includes(index)) ?? groups[0]
    if (!group) throw new TypeError('every rule is in a group')
    const audiences = rule.audiences.map(bareAudience)
    return { index, rule, audiences, keys: openKeySource(rule, { fetch, clock, log }), group }
  })

  async function verify(found: ReadonlyMap<LocationGroup, readonly FoundToken[]>): Promise<Authentication> {
    let worst: RefusalReason | undefined
    for (const compiled of rules) {
      const tokens = found.get(compiled.group) ?? []
      if (tokens.length === 0) continue
      const outcome = await verifyAll(compiled, tokens)
      if ('claims' in outcome) {
        const text = tokens[0]?.text
        const isOnly = found.size === 1 && tokens.length === 1
        if (isOnly && text && text.length <= longestCachedToken) compiled.group.verified.set(text, outcome)
        return { kind: 'verified', token: outcome, found: tokens }
      }
      if (!worst || worst.reason === 'issuer-mismatch') worst = outcome
    }
    return worst ? { kind: 'refused', refusal: refusalOf(worst, mode) } : none
  }

  /** Every token a rule finds must be good; they are verified from the last to the first (Envoy authenticator.cc). */
  async function verifyAll(
    compiled: CompiledRule,
    tokens: readonly FoundToken[],
  ): Promise<VerifiedToken | RefusalReason> {
    let first: VerifiedToken | undefined
    for (const token of tokens.toReversed()) {
      const outcome = await verifyOne(compiled, token)
      if (!('claims' in outcome)) return outcome
      first = outcome
    }
    if (!first) throw new TypeError('there was a token to verify')
    return first
  }

  async function verifyOne(
    { rule, index, keys, audiences }: CompiledRule,
    { text }: FoundToken,
  ): Promise<VerifiedToken | RefusalReason> {
    const nowSeconds = epochSeconds(clock)
    const issuer = rule.issuer === '' ? {} : { issuer: rule.issuer }
    const checked = checkClaims(text, { ...issuer, nowSeconds, skewSeconds })
    if (!checked.ok) return checked
    const { claims } = checked.jwt
    if (audiences.length > 0 && !audiencesOf(claims).some((one) => audiences.includes(bareAudience(one)))) {
      return { reason: 'audience-mismatch' }
    }
    const known = await keys.keysFor(checked.jwt)
    if (!known) return { reason: 'keys-unavailable' }
    const verification = checkSignature(checked.jwt, known)
    if (!verification.ok) return verification
    const { exp, nbf } = claims as { exp?: number; nbf?: number } // types checked by parseJwt
    const payload = text.slice(text.indexOf('.') + 1, text.lastIndexOf('.'))
    return {
      claims: splitClaims(claims, rule.spaceDelimitedClaims),
      headers: claimHeaders(rule, claims, payload, mode),
      keepsToken: rule.forwardOriginalToken,
      ruleIndex: index,
      notBefore: nbf === undefined ? 0 : (nbf - skewSeconds) * 1000,
      notAfter: Math.min(
        clock.now() + believedMilliseconds,
        exp === undefined ? Number.POSITIVE_INFINITY : (exp + skewSeconds) * 1000,
      ),
    }
  }

  return {
    outputs: jwtRules.map(outputsOf),
    readsTokenFrom: (header, source) =>
      groups.some(({ locations }) => {
        const here = locations.filter((one) => one.kind === 'header' && one.name === header)
        return findTokens(here, source, mode).length > 0
      }),
    authenticate(source) {
      let only: { readonly group: LocationGroup; readonly tokens: readonly FoundToken[] } | undefined
      let found: Map<LocationGroup, readonly FoundToken[]> | undefined
      for (const group of groups) {
        const tokens = findTokens(group.locations, source, mode)
        if (tokens.length === 0) continue
        if (only) found = (found ?? new Map([[only.group, only.tokens]])).set(group, tokens)
        else only = { group, tokens }
      }
      if (!only) return none
      if (found) return verify(found)
      const text = only.tokens.length === 1 ? only.tokens[0]?.text : undefined
      const token = text === undefined ? undefined : only.group.verified.get(text)
      const now = clock.now()
      if (token && token.notBefore <= now && now <= token.notAfter)
        return { kind: 'verified', token, found: only.tokens }
      return verify(new Map([[only.group, only.tokens]]))
    },
  }
}

function groupByLocations(jwtRules: readonly JwtRule[]): readonly LocationGroup[] {
  const byPlaces = Map.groupBy(jwtRules.entries(), ([, rule]) => JSON.stringify(locationsOf(rule)))
  return [...byPlaces.values()].map((members) => ({
    locations: members[0] ? locationsOf(members[0][1]) : [],
    rules: members.map(([index]) => index),
    verified: new GenerationCache<VerifiedToken>(cachedTokens),
  }))
}

/** The headers a rule sets; a client's own are never forwarded under these names. */
function outputsOf({ outputPayloadToHeader, outputClaimToHeaders }: JwtRule): readonly string[] {
  const claimNames = outputClaimToHeaders.map(({ header }) => header)
  return outputPayloadToHeader === undefined ? claimNames : [outputPayloadToHeader, ...claimNames]
}

/** Audiences are compared without their scheme and one trailing slash (Envoy jwt_verify_lib check_audience). */
function bareAudience(audience: string): string {
  return audience.replace(/^https?:\/\//, '').replace(/\/$/, '')
}

function splitClaims(claims: Claims, names: readonly string[]): Claims {
  const split: Record<string, unknown> = {}
  for (const name of ['scope', 'permission', ...names]) {
    const value = Object.hasOwn(claims, name) ? claims[name] : undefined
    if (typeof value === 'string') split[name] = value.split(' ')
  }
  return { ...claims, ...split }
}
