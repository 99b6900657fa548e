import type { RequestFacts } from '../facts.ts'
import { compileTexts } from '../text-match.ts'
import { type ConditionKind, literalPrefix } from './condition.ts'

/**
 * `request.headers[name]`: a repeated header matches when one of its lines does, so that a DENY is not escaped by sending
 * the header twice (Envoy since CVE-2026-26308; before, the lines were joined). `*` holds when it is there, even empty.
 * `:authority`, `:method` and `:path` (which has the query) are headers to Envoy, too.
 */
export const requestHeaders: ConditionKind = {
  argumentMistake: (name) =>
    /^(?::authority|:method|:path|[!#$%&'*+\-.^_`|~0-9A-Za-z]+)$/i.test(name)
      ? undefined
      : `\`${name}\` is no header name`,
  compile(values, argument) {
    const matches = compileTexts(values, { any: 'present' })
    const name = argument.toLowerCase()
    return (facts) => {
      const lines = linesOf(facts, name)
      return typeof lines === 'object' ? lines.some(matches) : matches(lines)
    }
  },
  lookup: { textsOf: (facts, argument) => linesOf(facts, argument.toLowerCase()), prefixOf: literalPrefix },
  // a value is not repeated: it may be a credential
  matched: (_, { argument }) => `header \`${argument}\` matches`,
  missed: (facts, { argument }) =>
    linesOf(facts, argument.toLowerCase()) === undefined
      ? `header \`${argument}\` is absent`
      : `header \`${argument}\` does not match`,
}

/** A header's one line, or all of them; lines are only looked for where the joined text may be several. */
function linesOf(facts: RequestFacts, name: string): string | readonly string[] | undefined {
  if (name === ':authority') return facts.host
  if (name === ':method') return facts.method
  if (name === ':path') return facts.path + facts.query
  const joined = facts.header(name)
  const mayBeSeveral = joined !== undefined && (joined.includes(',') || name === 'cookie')
  return mayBeSeveral && facts.headerLines ? facts.headerLines(name) : joined
}
