import { compileTexts } from '../text-match.ts'
import { type ConditionKind, literalPrefix, textReasons } from './condition.ts'

/** The method, case-sensitive. */
export const methods: ConditionKind = {
  compile(values) {
    const matches = compileTexts(values, { any: 'present' })
    return ({ method }) => matches(method)
  },
  lookup: { textsOf: ({ method }) => method, prefixOf: literalPrefix },
  ...textReasons(
    () => 'method',
    ({ method }) => method,
  ),
}
