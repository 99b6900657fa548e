import type { AuthorizationPolicy, Rule } from './authorization-policy.ts'
import { byAge } from './resource.ts'
import { indexRules, type RuleIndex } from './rule-index.ts'
import { appliesTo, type Workload } from './scope.ts'

/** A rule in force, with the policy it stands in and the id Istio gives it. */
export interface AppliedRule {
  readonly id: string
  readonly policy: AuthorizationPolicy
  readonly rule: Rule
}

/** The rules of one provider: a request that matches one is asked about, or refused where the provider is unknown. */
export interface CustomRules {
  readonly provider: string
  /** `false`: Istio cannot ask it (undefined, or a second one), so requests that match are denied. */
  readonly canAsk: boolean
  readonly rules: readonly AppliedRule[]
  readonly index: RuleIndex<AppliedRule>
}

/** Every policy in force at one workload, sorted by what it does. Immutable. */
export interface PolicySet {
  /** By provider name, in the order they are asked. */
  readonly custom: readonly CustomRules[]
  readonly audit: readonly AppliedRule[]
  readonly deny: readonly AppliedRule[]
  readonly allow: readonly AppliedRule[]
  /** Whether an ALLOW policy applies, even one without rules: then a request must match one. */
  readonly hasAllow: boolean
  /** The same rules, found by what a request is about. */
  readonly index: Readonly<Record<'audit' | 'deny' | 'allow', RuleIndex<AppliedRule>>>
  /** Dry-run rules of both kinds: judged for explanation only. */
  readonly dryRun: readonly AppliedRule[]
}

export interface SelectOptions {
  readonly workload: Workload
  readonly rootNamespace: string
  /** Names of the providers that can be asked. */
  readonly providers: ReadonlySet<string>
  /**
   * Whether one workload may ask several providers (istiod's PILOT_ENABLE_MULTIPLE_CUSTOM_AUTHZ_PROVIDERS, off by
   * default: the rules of all of them then deny).
   */
  readonly allowsSeveralProviders: boolean
}

/** Picks the policies in force at a workload. Their order never changes a decision, only an explanation. */
export function selectPolicies(policies: readonly AuthorizationPolicy[], options: SelectOptions): PolicySet {
  const { workload, rootNamespace } = options
  const applied = policies.filter((policy) => appliesTo(policy, workload, rootNamespace)).toSorted(byAge)
  const enforced = applied.filter((policy) => !policy.isDryRun)
  const rulesOf = (action: AuthorizationPolicy['action']) =>
    enforced.filter((policy) => policy.action === action).flatMap((policy) => appliedRules(policy))
  const [audit, deny, allow] = [rulesOf('AUDIT'), rulesOf('DENY'), rulesOf('ALLOW')]
  return {
    custom: selectCustom(enforced, options),
    audit,
    deny,
    allow,
    index: { audit: indexRules(audit), deny: indexRules(deny), allow: indexRules(allow) },
    hasAllow: enforced.some((policy) => policy.action === 'ALLOW'),
    dryRun: applied.filter((policy) => policy.isDryRun).flatMap((policy) => appliedRules(policy)),
  }
}

function selectCustom(policies: readonly AuthorizationPolicy[], options: SelectOptions): CustomRules[] {
  const custom = policies.filter((policy) => policy.action === 'CUSTOM')
  const names = [...new Set(custom.map((policy) => policy.provider ?? ''))].sort()
  return names.map((provider) => {
    const canAsk = options.providers.has(provider) && (options.allowsSeveralProviders || names.length === 1)
    const prefix = `istio-ext-authz-${provider}-`
    const suffix = canAsk ? '' : '-deny-due-to-bad-CUSTOM-action'
    const own = custom.filter((policy) => (policy.provider ?? '') === provider)
    const rules = own.flatMap((policy) => appliedRules(policy, prefix, suffix))
    return { provider, canAsk, rules, index: indexRules(rules) }
  })
}

function appliedRules(policy: AuthorizationPolicy, prefix = '', suffix = ''): AppliedRule[] {
  return policy.rules.map((rule) => ({
    id: `${prefix}ns[${policy.namespace}]-policy[${policy.name}]-rule[${rule.index}]${suffix}`,
    policy,
    rule,
  }))
}
