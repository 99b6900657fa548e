import type { AuthorizationPolicy, Condition, Rule } from '../../../policy/authorization-policy.ts'
import type { Situation } from '../situation.ts'

/** The situation with other values in a condition. */
export function withValues(situation: Situation, condition: Condition, values: readonly string[]): Situation {
  const changed = { ...condition, values, test: condition.kind.compile(values, condition.argument) }
  const swap = (one: Condition) => (one === condition ? changed : one)
  return withRules(situation, (rule) => ({
    ...rule,
    sources: rule.sources.map((group) => ({ ...group, conditions: group.conditions.map(swap) })),
    operations: rule.operations.map((group) => ({ ...group, conditions: group.conditions.map(swap) })),
    when: rule.when.map(swap),
  }))
}

/** The situation without a rule; a policy left without rules is gone, but an ALLOW one. */
export function withoutRule(situation: Situation, rule: Rule): Situation {
  return withRules(situation, (one) => (one === rule ? undefined : one))
}

function withRules(situation: Situation, change: (rule: Rule) => Rule | undefined): Situation {
  const { gateway } = situation
  const changePolicy = (policy: AuthorizationPolicy) => ({
    ...policy,
    rules: policy.rules.flatMap((rule) => change(rule) ?? []),
  })
  return {
    ...situation,
    gateway: { ...gateway, authorizationPolicies: gateway.authorizationPolicies.map(changePolicy) },
  }
}

/** Every condition of a rule. */
export function conditionsOf({ sources, operations, when }: Rule): Condition[] {
  return [...sources, ...operations].flatMap(({ conditions }) => [...conditions]).concat(when)
}
