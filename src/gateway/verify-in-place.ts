import type { HeaderList } from './header-list.ts'
import { type FoundToken, findTokens, removeToken, type TokenLocation } from './token-locations.ts'
import type { RefusalReason } from './token-refusals.ts'
import { type TokenRule, type VerifiedToken, verifyToken } from './verify-token.ts'

/** A rule with what it reads and sets. */
export interface PlacedRule extends TokenRule {
  readonly locations: readonly TokenLocation[]
  /** Header names, in lower case. */
  readonly outputs: readonly string[]
}

/** What became of a request whose tokens were verified as Envoy does it. */
export interface InPlace {
  /** The query as it is now. */
  readonly query: string
  /** The last token verified. */
  readonly verified: { readonly token: VerifiedToken; readonly found: readonly FoundToken[] } | undefined
}

type Outcome = 'verified' | 'missing' | RefusalReason

/**
 * Envoy's jwt_authn filter to the letter, with the requirement istiod gives it: any of the rules, or else all of them,
 * each of which may find no token (verifier.cc, istio pilot/pkg/security/authn/policy_applier.go). A rule that is tried
 * first removes the headers it sets; each token it verifies sets them again and is removed, so that the next rule looks at
 * a request that was changed. It matters where a request brings several tokens. Changes `headers`.
 */
export async function verifyInPlace(
  rules: readonly PlacedRule[],
  request: { readonly headers: HeaderList; readonly query: string },
  verifier: Parameters<typeof verifyToken>[2],
): Promise<InPlace | RefusalReason> {
  const { headers } = request
  let { query } = request
  let verified: InPlace['verified']

  async function tryRule(rule: PlacedRule): Promise<Outcome> {
    for (const name of rule.outputs) headers.remove(name)
    const found = findTokens(rule.locations, { headers, query }, 'istio')
    for (const { text, location } of found.toReversed()) {
      const token = await verifyToken(rule, text, verifier)
      if (!('claims' in token)) return token
      for (let at = 0; at < token.headers.length; at += 2)
        headers.add(token.headers[at] ?? '', token.headers[at + 1] ?? '')
      if (!token.keepsToken) query = removeToken({ headers, query }, location, 'istio')
      verified = { token, found }
    }
    return found.length > 0 ? 'verified' : 'missing'
  }

  const outcomes: Outcome[] = []
  for (const rule of rules) {
    const outcome = await tryRule(rule)
    if (outcome === 'verified') return { query, verified }
    outcomes.push(outcome)
  }
  if (rules.length > 1) outcomes.push(await tryEach(rules, tryRule))
  const outcome = mostTelling(outcomes)
  return typeof outcome === 'string' ? { query, verified } : outcome
}

/** All rules must be content, as they are with no token. */
async function tryEach(
  rules: readonly PlacedRule[],
  tryRule: (rule: PlacedRule) => Promise<Outcome>,
): Promise<'verified' | RefusalReason> {
  for (const rule of rules) {
    const outcome = await tryRule(rule)
    if (typeof outcome !== 'string') return outcome
  }
  return 'verified'
}

/** The last that is neither “no token” nor “another issuer”, else the first there is (verifier.cc `AnyVerifierImpl`). */
function mostTelling(outcomes: readonly Outcome[]): Outcome {
  if (outcomes.includes('verified')) return 'verified'
  const refusals = outcomes.filter((one) => typeof one !== 'string')
  return refusals.findLast(({ reason }) => reason !== 'issuer-mismatch') ?? refusals[0] ?? 'missing'
}
