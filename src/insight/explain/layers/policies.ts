import type { Condition, Rule } from '../../../policy/authorization-policy.ts'
import { findAudited, type RuleTrace } from '../../../policy/decide.ts'
import type { Detail, Layer } from '../explanation.ts'
import type { Situation, Walk } from '../situation.ts'

/** AUDIT, DENY and ALLOW: every rule judged, and of the deciding ones which field matched what. */
export function explainPolicies(_: Situation, { facts, trace, cause }: Walk): Layer {
  const judged = trace.rules.filter(({ rule }) => rule.policy.action !== 'CUSTOM')
  const isStopped = cause?.kind === 'policy' && cause.rule?.policy.action !== 'CUSTOM'
  if (!facts || !(isStopped || cause === undefined))
    return { name: 'policies', outcome: 'skipped', summary: 'never asked', details: [] }
  const decider = isStopped ? cause.rule : judged.find((one) => one.isMatch && isAllow(one))?.rule
  const details = judged.flatMap((one) =>
    ruleDetails(one, one.rule === decider || (isStopped && !decider && isAllow(one))),
  )
  details.push(...dryRunDetails(facts))
  return {
    name: 'policies',
    outcome: isStopped ? 'stopped' : 'passed',
    summary: summaryOf({ isStopped, hasAllow: facts.state.policies.hasAllow, decider: decider?.id }),
    details,
  }
}

/** Dry-run rules decide nothing; what they would say is asked of the same evaluator. */
function dryRunDetails(facts: NonNullable<Walk['facts']>): Detail[] {
  const trace: RuleTrace[] = []
  const { policies } = facts.state
  findAudited({ ...policies, audit: policies.dryRun }, facts, trace)
  return trace.flatMap((one) =>
    ruleDetails(one, false).map((detail, at) => (at === 0 ? { ...detail, text: `dry run: ${detail.text}` } : detail)),
  )
}

function isAllow({ rule }: RuleTrace): boolean {
  return rule.policy.action === 'ALLOW'
}

function summaryOf(what: { isStopped: boolean; hasAllow: boolean; decider: string | undefined }): string {
  const { isStopped, hasAllow, decider } = what
  if (isStopped) return decider === undefined ? 'there are ALLOW policies, and none of their rules matches' : decider
  return hasAllow ? `allowed by ${decider}` : 'no DENY rule matches, and there is no ALLOW policy'
}

/** A rule with its conditions: all of one that decides, else the first that kept it from matching. */
export function ruleDetails({ rule, isMatch, conditions }: RuleTrace, isDeciding: boolean): Detail[] {
  const { policy } = rule
  const head: Detail = {
    mark: isDeciding ? 'decides' : isMatch ? 'match' : 'miss',
    text: `${policy.action} \`${policy.namespace}/${policy.name}\` rule ${rule.rule.index + 1} ${isMatch ? 'matches' : 'does not match'}`,
    place: rule.rule.place,
  }
  const told = isDeciding || isMatch ? conditions : conditions.filter(({ holds }) => !holds).slice(0, 1)
  const all = writtenOrder(rule.rule, told)
  return [
    head,
    ...all.map(
      ({ condition, holds, reason }): Detail => ({
        mark: holds ? 'match' : 'miss',
        text: `  ${condition.field} ${holds ? 'holds' : 'does not hold'}: ${reason}`,
        place: condition.place,
      }),
    ),
  ]
}

function writtenOrder<Traced extends { readonly condition: Condition }>(rule: Rule, traced: readonly Traced[]) {
  const order = [...rule.sources, ...rule.operations].flatMap(({ conditions }) => conditions).concat(rule.when)
  return traced.toSorted((a, b) => order.indexOf(a.condition) - order.indexOf(b.condition))
}
