import { compileTexts } from '../text-match.ts'
import { type ConditionKind, literalPrefix } from './condition.ts'

/**
 * `request.headers[name]`: a repeated header matches when one of its lines does, so that a DENY is not escaped by sending
 * the header twice (Envoy since CVE-2026-26308; before, the lines were joined). `*` holds when it is there, even empty.
 */
export const requestHeaders: ConditionKind = {
  argumentMistake: (name) =>
    /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/.test(name) ? undefined : `\`${name}\` is no header name`,
  compile(values, argument) {
    const matches = compileTexts(values, { any: 'present' })
    const name = argument.toLowerCase()
    return (facts) => {
      const joined = facts.header(name)
      const isSeveral = joined !== undefined && (joined.includes(',') || name === 'cookie')
      return isSeveral && facts.headerLines ? facts.headerLines(name).some(matches) : matches(joined)
    }
  },
  lookup: { textsOf: (facts, argument) => facts.header(argument.toLowerCase()), prefixOf: literalPrefix },
  // a value is not repeated: it may be a credential
  matched: (_, { argument }) => `header \`${argument}\` matches`,
  missed: (facts, { argument }) =>
    facts.header(argument.toLowerCase()) === undefined
      ? `header \`${argument}\` is absent`
      : `header \`${argument}\` does not match`,
}
