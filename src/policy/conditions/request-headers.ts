import { compileTexts } from '../text-match.ts'
import { type ConditionKind, literalPrefix } from './condition.ts'

/** `request.headers[name]`: repeated headers joined with `,`; `*` holds when the header is there, even empty. */
export const requestHeaders: ConditionKind = {
  argumentMistake: (name) =>
    /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/.test(name) ? undefined : `\`${name}\` is no header name`,
  compile(values, argument) {
    const matches = compileTexts(values, { any: 'present' })
    const name = argument.toLowerCase()
    return (facts) => matches(facts.header(name))
  },
  lookup: { textsOf: (facts, argument) => facts.header(argument.toLowerCase()), prefixOf: literalPrefix },
  // a value is not repeated: it may be a credential
  matched: (_, { argument }) => `header \`${argument}\` matches`,
  missed: (facts, { argument }) =>
    facts.header(argument.toLowerCase()) === undefined
      ? `header \`${argument}\` is absent`
      : `header \`${argument}\` does not match`,
}
