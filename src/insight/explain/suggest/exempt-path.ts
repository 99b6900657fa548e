import type { Condition } from '../../../policy/authorization-policy.ts'
import type { AppliedRule } from '../../../policy/policy-set.ts'
import { conditionsOf, withValues } from './change-policy.ts'
import type { Candidate, SuggestionKind } from './kind.ts'

/** The path is guarded: exempt it, in each policy whose list of exemptions lacks it; one list where one is enough. */
export const exemptPath: SuggestionKind = ({ walk }) => {
  const { facts, cause } = walk
  if (!facts || !cause || /[*{}]/.test(facts.path)) return []
  const { custom, deny } = facts.state.policies
  const lacking = [...custom.flatMap(({ rules }) => rules), ...deny].flatMap((applied) =>
    conditionsOf(applied.rule)
      .filter((condition) => condition.field === 'notPaths' && !condition.test(facts))
      .map((condition) => ({ applied, condition })),
  )
  const value = exemptionOf(facts.path)
  const choices = lacking.length > 1 ? [...lacking.map((one) => [one]), lacking] : [lacking]
  return choices.filter((lists) => lists.length > 0).map((lists) => candidate(value, lists))
}

/** `/app/x` → `/app/*`; a path of one segment stands for itself. */
function exemptionOf(path: string): string {
  const end = path.indexOf('/', 1)
  return end < 0 ? path : `${path.slice(0, end)}/*`
}

function candidate(
  value: string,
  lists: readonly { readonly applied: AppliedRule; readonly condition: Condition }[],
): Candidate {
  const names = lists.map(({ applied: { policy } }) => `\`${policy.name}\` (${policy.action})`)
  return {
    text: `add \`${value}\` to the notPaths of ${names.join(' and ')}${lists.length > 1 ? ': one alone changes nothing' : ''}`,
    places: lists.map(({ condition }) => condition.place),
    size: 3 * lists.length,
    apply: (situation) =>
      lists.reduce((changed, { condition }) => withValues(changed, condition, [...condition.values, value]), situation),
  }
}
