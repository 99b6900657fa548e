import { conditionsOf, withValues } from './change-policy.ts'
import type { Candidate, SuggestionKind } from './kind.ts'

/** The request passes because its path is exempt: what would guard it. */
export const guardPath: SuggestionKind = ({ walk: { facts, cause } }) => {
  if (!facts || cause) return []
  const { custom, deny } = facts.state.policies
  return [...custom.flatMap(({ rules }) => rules), ...deny].flatMap(({ rule, policy }) =>
    conditionsOf(rule)
      .filter((condition) => condition.field === 'notPaths' && condition.test(facts))
      .map((condition): Candidate => {
        const matches = (value: string) => condition.kind.compile([value], condition.argument)(facts)
        const matching = condition.values.filter(matches)
        const left = condition.values.filter((value) => !matches(value))
        return {
          text: `take ${matching.map((value) => `\`${value}\``).join(', ')} out of the notPaths of \`${policy.name}\` (${policy.action})`,
          places: [condition.place],
          size: 3,
          apply: (situation) => withValues(situation, condition, left),
        }
      }),
  )
}
