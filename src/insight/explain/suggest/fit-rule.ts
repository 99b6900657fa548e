import type { Condition } from '../../../policy/authorization-policy.ts'
import type { RuleTrace } from '../../../policy/decide.ts'
import type { RequestFacts } from '../../../policy/facts.ts'
import { withValues } from './change-policy.ts'
import type { Candidate, SuggestionKind } from './kind.ts'

/** What a condition would have to name to hold, by its field. */
const found: Readonly<Record<string, (facts: RequestFacts) => string | undefined>> = {
  paths: ({ path }) => path,
  methods: ({ method }) => method,
  hosts: ({ host }) => host,
  ports: ({ localPort }) => String(localPort),
  ipBlocks: ({ peerAddress }) => peerAddress,
  'source.ip': ({ peerAddress }) => peerAddress,
  remoteIpBlocks: ({ clientAddress }) => clientAddress,
  'remote.ip': ({ clientAddress }) => clientAddress,
  requestPrincipals: ({ claims }) => claims && `${claims['iss']}/${claims['sub']}`,
  'request.auth.principal': ({ claims }) => claims && `${claims['iss']}/${claims['sub']}`,
}

/** An ALLOW rule lacks one value to match, or a DENY rule's one value stands in the way. */
export const fitRule: SuggestionKind = ({ walk }) => {
  const { facts, cause, trace } = walk
  if (!facts || cause?.kind !== 'policy') return []
  return trace.rules.flatMap((traced) => {
    const { action } = traced.rule.policy
    if (action === 'ALLOW' && !traced.isMatch) return adding(traced, facts)
    return action === 'DENY' && traced.isMatch ? removing(traced, facts) : []
  })
}

function adding({ rule, conditions }: RuleTrace, facts: RequestFacts): Candidate[] {
  const failing = conditions.filter(({ holds }) => !holds)
  const [only] = failing
  if (!only || failing.length !== 1) return []
  const { condition } = only
  if (condition.isNegated) return without(condition, facts, rule.policy.name)
  const value = Object.hasOwn(found, condition.field) ? found[condition.field]?.(facts) : undefined
  if (value === undefined || /[*{}]/.test(value)) return []
  return [
    change(
      condition,
      [...condition.values, value],
      `add \`${value}\` to ${condition.field} of \`${rule.policy.name}\` (ALLOW)`,
    ),
  ]
}

function removing({ rule, conditions }: RuleTrace, facts: RequestFacts): Candidate[] {
  return conditions
    .filter(({ condition, holds }) => holds && !condition.isNegated && condition.values.length > 1)
    .flatMap(({ condition }) => without(condition, facts, rule.policy.name))
}

/** The list without the values that match the request. */
function without(condition: Condition, facts: RequestFacts, policy: string): Candidate[] {
  const matching = condition.values.filter((value) => condition.kind.compile([value], condition.argument)(facts))
  const left = condition.values.filter((value) => !matching.includes(value))
  if (left.length === 0) return []
  const told = matching.map((value) => `\`${value}\``).join(', ')
  return [change(condition, left, `take ${told} out of ${condition.field} of \`${policy}\``)]
}

function change(condition: Condition, values: readonly string[], text: string): Candidate {
  return { text, places: [condition.place], size: 4, apply: (situation) => withValues(situation, condition, values) }
}
