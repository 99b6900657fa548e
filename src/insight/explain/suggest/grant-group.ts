import type { Condition } from '../../../policy/authorization-policy.ts'
import { claimsOf, textsClaim } from '../identity.ts'
import { withIdentity } from './change-request.ts'
import type { Candidate, SuggestionKind } from './kind.ts'

const claimField = /^request\.auth\.claims\[([^[\]]+)\]$/

/** Somebody is signed in and lacks a group (or another claim), or has one that is denied. */
export const grantGroup: SuggestionKind = ({ situation, walk }) => {
  const { proxy, request } = situation
  const claims = claimsOf(request.identity)
  if (!claims || (walk.cause?.kind !== 'policy' && walk.cause?.kind !== 'provider')) return []
  const kind = request.identity?.kind === 'session' ? 'session' : 'claims'
  const change = (name: string, values: readonly string[], told: Pick<Candidate, 'text' | 'places'>): Candidate => ({
    ...told,
    size: 2,
    apply: (one) => withIdentity(one, { kind, claims: { ...claims, [name]: values } }),
  })
  const grant = (name: string, value: string, condition?: Condition) =>
    change(name, [...textsClaim(claims, name), value], {
      text: name === 'groups' ? `grant the group \`${value}\`` : `give the user \`${value}\` in the claim \`${name}\``,
      places: condition ? [condition.place] : [],
    })
  const withdraw = (name: string, value: string, condition: Condition) =>
    change(
      name,
      textsClaim(claims, name).filter((one) => one !== value),
      {
        text: name === 'groups' ? `withdraw the group \`${value}\`` : `take \`${value}\` out of the claim \`${name}\``,
        places: [condition.place],
      },
    )
  const asked = walk.trace.rules.flatMap(({ conditions }) => conditions.map(({ condition }) => condition))
  return [
    ...asked.flatMap((condition) => {
      const name = claimField.exec(condition.field)?.[1]
      if (name === undefined) return []
      const values = condition.values.filter((value) => !value.includes('*'))
      const had = textsClaim(claims, name)
      return values.map((value) =>
        had.includes(value) ? withdraw(name, value, condition) : grant(name, value, condition),
      )
    }),
    ...(proxy?.allowed_groups ?? []).map((group) => grant(proxy?.oidc_groups_claim ?? 'groups', group)),
  ]
}
