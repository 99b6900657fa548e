import type { AuthorizationPolicy } from '../../../policy/authorization-policy.ts'
import { claimsFor, claimsOf, jwtRulesOf } from '../identity.ts'
import { conditionsOf } from './change-policy.ts'
import { withIdentity } from './change-request.ts'
import type { Candidate, SuggestionKind } from './kind.ts'

/**
 * Nobody is signed in: sign in, as a member of a group where one is asked for. Where no provider is asked a session
 * proves nothing, only a token does.
 */
export const signIn: SuggestionKind = ({ situation, walk, nowSeconds }) => {
  const { gateway, proxy, request } = situation
  const isAsked = walk.trace.asked.length > 0
  const isProven = request.identity?.kind !== 'session' || isAsked
  if (claimsOf(request.identity) && isProven) return []
  const takesTokens = jwtRulesOf(gateway).length > 0
  const groups = [...new Set([...gateway.authorizationPolicies.flatMap(groupsAsked), ...(proxy?.allowed_groups ?? [])])]
  const candidate = (group: string | undefined, at: number): Candidate => ({
    text: textOf({ isAsked, takesTokens, group }),
    places: [],
    size: 1 + (group === undefined ? 0 : 1) + at / 100,
    apply(changed) {
      const who = { user: 'user@example.com', groups: group === undefined ? [] : [group] }
      const claims = claimsFor(who, { gateway, proxy, nowSeconds })
      return withIdentity(changed, { kind: isAsked ? 'session' : 'claims', claims })
    },
  })
  return [candidate(undefined, 0), ...groups.map(candidate)]
}

function textOf(how: { isAsked: boolean; takesTokens: boolean; group: string | undefined }): string {
  const { isAsked, takesTokens, group } = how
  if (!isAsked) return `send a token of a trusted issuer${group === undefined ? '' : `, with the group \`${group}\``}`
  if (group !== undefined) return `sign in as a member of \`${group}\``
  return takesTokens ? 'sign in, or send a token of a trusted issuer' : 'sign in'
}

/** Groups some ALLOW rule asks for by name. */
function groupsAsked({ action, rules }: AuthorizationPolicy): string[] {
  if (action !== 'ALLOW') return []
  return rules
    .flatMap(conditionsOf)
    .filter(({ field, isNegated }) => field === 'request.auth.claims[groups]' && !isNegated)
    .flatMap(({ values }) => values.filter((value) => !value.includes('*')))
}
