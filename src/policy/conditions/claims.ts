import { claimAt, claimTexts } from '../claim-texts.ts'
import { compileTexts, type TextTest } from '../text-match.ts'
import { anyOf, type ConditionKind, literalPrefix } from './condition.ts'

/** `request.auth.claims[a][b]`: a text that matches, or a list with one; numbers and booleans never match. */
export const claims: ConditionKind = {
  needsIdentity: true,
  argumentMistake: (argument) =>
    claimPath(argument) ? undefined : `\`${argument}\` is no claim; write \`[name]\` or \`[outer][inner]\``,
  compile(values, argument) {
    const matches = compileTexts(values)
    const path = claimPath(argument) ?? []
    return (facts) => facts.claims !== undefined && matchesClaim(claimAt(facts.claims, path), matches)
  },
  lookup: {
    textsOf: ({ claims: told }, argument) => claimTexts(told, claimPath(argument) ?? []),
    prefixOf: literalPrefix,
  },
  matched: (_, { values, argument }) => `claim \`${argument}\` matches ${anyOf(values)}`,
  missed(facts, { values, argument }) {
    if (!facts.claims) return 'there is no verified token, so it has no claims'
    const value = claimAt(facts.claims, claimPath(argument) ?? [])
    if (value === undefined) return `the token has no claim \`${argument}\``
    return `claim \`${argument}\` does not match ${anyOf(values)}`
  },
}

/** A claim always read as `request.auth.audiences` and `request.auth.presenter` do. */
export function namedClaim(name: string): ConditionKind {
  return {
    needsIdentity: true,
    lookup: { textsOf: ({ claims: told }) => claimTexts(told, [name]), prefixOf: literalPrefix },
    compile: (values) => claims.compile(values, `[${name}]`),
    matched: (facts, { values }) => claims.matched(facts, { values, argument: `[${name}]` }),
    missed: (facts, { values }) => claims.missed(facts, { values, argument: `[${name}]` }),
  }
}

/** `[a][b]` → `a`, `b`; `undefined` for another form. */
function claimPath(argument: string): readonly string[] | undefined {
  if (!/^(?:\[[^[\]]+\])+$/.test(argument)) return undefined
  return argument.slice(1, -1).split('][')
}

function matchesClaim(value: unknown, matches: TextTest): boolean {
  if (typeof value === 'string') return matches(value)
  return Array.isArray(value) && value.some((member) => typeof member === 'string' && matches(member))
}
