import { GenerationCache } from '../kit/cache.ts'
import type { Clock } from '../kit/clock.ts'
import type { AccountGate } from '../oidc/account-gate.ts'
import { type EndedSessions, namesOfToken } from '../oidc/ended-sessions.ts'
import type { JwtRule } from '../policy/request-authentication.ts'
import { parseJwt } from '../tokens/jwt.ts'
import type { TokenRefusal } from '../tokens/verify.ts'
import { claimHeaders } from './claim-headers.ts'
import type { RefusalReason } from './token-refusals.ts'
import { endingOf, type VerifiedToken } from './verify-token.ts'

/** The outcome for a token: verified, refused for good, or, with what is to be told if no rule knows it, for the rules. */
export type AccountOutcome =
  | { readonly kind: 'verified'; readonly token: VerifiedToken }
  | { readonly kind: 'refused'; readonly why: RefusalReason }
  | { readonly kind: 'other'; readonly why: RefusalReason | undefined }

const knownTokens = 5_000

/** Opens what verifies the tokens of service accounts and remembers those it believes. `rules` are all that are tried. */
export function openAccountVerifier(
  accounts: AccountGate,
  { rules, ended, clock }: { rules: readonly JwtRule[]; ended: EndedSessions | undefined; clock: Clock },
): (text: string) => Promise<AccountOutcome> {
  const known = new GenerationCache<VerifiedToken>(knownTokens)
  const ofPeople = rules.findIndex(({ issuer }) => issuer === accounts.issuerOfPeople)
  const ruleIndex = Math.max(0, ofPeople)
  const rule = rules[ruleIndex]

  async function verify(text: string): Promise<AccountOutcome> {
    const verdict = await accounts.verify(text)
    if (verdict.kind === 'refused') return { kind: 'refused', why: { reason: verdict.reason } }
    if (verdict.kind === 'other') return { kind: 'other', why: refusalReason(verdict.reason) }
    const jwt = parseJwt(text)
    if (!rule || 'malformed' in jwt) return { kind: 'other', why: undefined }
    const { name, groups, until } = verdict
    const claims = { ...jwt.claims, email: name, preferred_username: name, groups }
    const payload = text.slice(text.indexOf('.') + 1, text.lastIndexOf('.'))
    const token: VerifiedToken = {
      claims,
      headers: claimHeaders(rule, claims, payload, 'native'),
      names: namesOfToken(jwt.claims, text),
      keepsToken: rule.forwardOriginalToken,
      ruleIndex,
      isAccount: true,
      notBefore: 0,
      notAfter: until,
    }
    known.set(text, token)
    return { kind: 'verified', token }
  }

  return async (text) => {
    const before = known.get(text)
    const outcome: AccountOutcome =
      before && clock.now() < before.notAfter ? { kind: 'verified', token: before } : await verify(text)
    if (outcome.kind !== 'verified' || !ended) return outcome
    const ending = await endingOf(outcome.token.names, ended)
    return ending ? { kind: 'refused', why: { reason: ending } } : outcome
  }
}

/** A token that cannot be read is for the rules to tell of. */
function refusalReason(reason: TokenRefusal['reason'] | undefined): RefusalReason | undefined {
  return reason === undefined || reason === 'malformed' ? undefined : { reason }
}
