import type { Condition, ConditionGroup, Rule } from './authorization-policy.ts'
import type { RequestFacts } from './facts.ts'
import type { AppliedRule, CustomRules, PolicySet } from './policy-set.ts'
import type { RuleIndex } from './rule-index.ts'

/** The verdict of AUDIT, DENY and ALLOW. `rule` decided; absent where nothing matched. */
export interface Decision {
  readonly isAllowed: boolean
  readonly rule: AppliedRule | undefined
}

/** What the provider stage asks for: nothing, a provider's verdict, or a refusal because it cannot be asked. */
export type CustomDecision =
  | { readonly kind: 'pass' }
  | { readonly kind: 'ask'; readonly provider: string; readonly rule: AppliedRule }
  | { readonly kind: 'deny'; readonly rule: AppliedRule }

/** Collects how each rule was judged; given only to explain, so that enforcing makes no texts. */
export type Trace = RuleTrace[]

/** One rule judged: whether it matched, and each condition with its reason. */
export interface RuleTrace {
  readonly rule: AppliedRule
  readonly isMatch: boolean
  readonly conditions: readonly ConditionTrace[]
}

/** One condition judged. `holds` has the negation of a `not…` field applied. */
export interface ConditionTrace {
  readonly condition: Condition
  readonly holds: boolean
  readonly reason: string
}

const allowed: Decision = { isAllowed: true, rule: undefined }
const denied: Decision = { isAllowed: false, rule: undefined }
const pass: CustomDecision = { kind: 'pass' }

/**
 * Whether a request must be asked about. Runs before tokens are verified, once for each provider in the set's order,
 * since the answer of one may change what the next one's rules see.
 */
export function decideCustom(custom: CustomRules, facts: RequestFacts, trace?: Trace): CustomDecision {
  const rule = findMatch(custom, facts, trace)
  if (!rule) return pass
  return custom.canAsk ? { kind: 'ask', provider: custom.provider, rule } : { kind: 'deny', rule }
}

/**
 * DENY before ALLOW: a matching DENY refuses; without ALLOW policies everything else passes; with them one must match
 * (Istio's AuthorizationPolicy reference). AUDIT decides nothing, see `findAudited`.
 */
export function decide(policies: PolicySet, facts: RequestFacts, trace?: Trace): Decision {
  const deny = findMatch({ rules: policies.deny, index: policies.index.deny }, facts, trace)
  if (deny) return { isAllowed: false, rule: deny }
  if (!policies.hasAllow) return allowed
  const allow = findMatch({ rules: policies.allow, index: policies.index.allow }, facts, trace)
  return allow ? { isAllowed: true, rule: allow } : denied
}

/** The AUDIT rule that asks for this request to be logged, if one does. */
export function findAudited(policies: PolicySet, facts: RequestFacts, trace?: Trace): AppliedRule | undefined {
  return findMatch({ rules: policies.audit, index: policies.index.audit }, facts, trace)
}

interface IndexedRules {
  readonly rules: readonly AppliedRule[]
  readonly index: RuleIndex<AppliedRule>
}

/** The first rule that matches; with a trace all of them are judged, else only those the index cannot rule out. */
function findMatch({ rules, index }: IndexedRules, facts: RequestFacts, trace?: Trace): AppliedRule | undefined {
  if (!trace) return index.first(facts, ({ rule }) => matchesRule(rule, facts))
  let found: AppliedRule | undefined
  for (const applied of rules) {
    const conditions: ConditionTrace[] = []
    const isMatch = matchesRule(applied.rule, facts, conditions)
    trace.push({ rule: applied, isMatch, conditions })
    if (isMatch) found ??= applied
  }
  return found
}

function matchesRule(rule: Rule, facts: RequestFacts, trace?: ConditionTrace[]): boolean {
  const fromSource = matchesAny(rule.sources, facts, trace)
  if (!fromSource && !trace) return false
  const toOperation = matchesAny(rule.operations, facts, trace)
  if (!toOperation && !trace) return false
  return matchesAll(rule.when, facts, trace) && fromSource && toOperation
}

function matchesAny(groups: readonly ConditionGroup[], facts: RequestFacts, trace?: ConditionTrace[]): boolean {
  let isMatch = groups.length === 0
  for (const group of groups) {
    if (!matchesAll(group.conditions, facts, trace)) continue
    isMatch = true
    if (!trace) return true
  }
  return isMatch
}

function matchesAll(conditions: readonly Condition[], facts: RequestFacts, trace?: ConditionTrace[]): boolean {
  let isMatch = true
  for (const condition of conditions) {
    const holds = condition.test(facts) !== condition.isNegated
    if (trace) trace.push({ condition, holds, reason: reasonOf(condition, holds, facts) })
    if (holds) continue
    isMatch = false
    if (!trace) return false
  }
  return isMatch
}

function reasonOf({ kind, values, argument, isNegated }: Condition, holds: boolean, facts: RequestFacts): string {
  if (holds === isNegated) return kind.missed(facts, { values, argument })
  const matching = values.filter((value) => kind.compile([value], argument)(facts))
  return kind.matched(facts, { values: matching, argument })
}
