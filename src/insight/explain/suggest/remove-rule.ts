import { withoutRule } from './change-policy.ts'
import type { SuggestionKind } from './kind.ts'

/** A DENY rule decides: without it the request might pass. The last resort, since it lets others pass, too. */
export const removeRule: SuggestionKind = ({ walk: { cause } }) => {
  if (cause?.kind !== 'policy' || !cause.rule) return []
  const { policy, rule } = cause.rule
  return [
    {
      text: `remove rule ${rule.index + 1} of \`${policy.namespace}/${policy.name}\` (${policy.action}), for everyone`,
      places: [rule.place],
      size: 50,
      apply: (situation) => withoutRule(situation, rule),
    },
  ]
}
