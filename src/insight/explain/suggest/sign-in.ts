import type { AuthorizationPolicy } from '../../../policy/authorization-policy.ts'
import { claimsFor, claimsOf, identityOf } from '../identity.ts'
import { conditionsOf } from './change-policy.ts'
import { withIdentity } from './change-request.ts'
import type { Candidate, SuggestionKind } from './kind.ts'

/** Nobody is signed in: sign in, as a member of a group where one is asked for. */
export const signIn: SuggestionKind = ({ situation, nowSeconds }) => {
  const { gateway, proxy, request } = situation
  if (claimsOf(request.identity)) return []
  const groups = [...new Set([...gateway.authorizationPolicies.flatMap(groupsAsked), ...(proxy?.allowed_groups ?? [])])]
  const candidate = (group: string | undefined, at: number): Candidate => ({
    text: group === undefined ? 'sign in, or send a token of a trusted issuer' : `sign in as a member of \`${group}\``,
    places: [],
    size: 1 + (group === undefined ? 0 : 1) + at / 100,
    apply(changed) {
      const who = { user: 'user@example.com', groups: group === undefined ? [] : [group] }
      const claims = claimsFor(who, { gateway, proxy, nowSeconds })
      return withIdentity(changed, identityOf(claims, gateway))
    },
  })
  return [candidate(undefined, 0), ...groups.map(candidate)]
}

/** Groups some ALLOW rule asks for by name. */
function groupsAsked({ action, rules }: AuthorizationPolicy): string[] {
  if (action !== 'ALLOW') return []
  return rules
    .flatMap(conditionsOf)
    .filter(({ field, isNegated }) => field === 'request.auth.claims[groups]' && !isNegated)
    .flatMap(({ values }) => values.filter((value) => !value.includes('*')))
}
