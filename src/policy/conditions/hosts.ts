import { compileTexts } from '../text-match.ts'
import { type ConditionKind, literalPrefix, textReasons } from './condition.ts'

/** `:authority` as sent, port and trailing dot included, without regard to case. */
export const hosts: ConditionKind = {
  compile(values) {
    const matches = compileTexts(values, { any: 'present', ignoreCase: true })
    return ({ host }) => matches(host)
  },
  lookup: {
    textsOf: ({ host }) => host.toLowerCase(),
    prefixOf: (value) => literalPrefix(value.toLowerCase()),
  },
  ...textReasons(
    () => 'host',
    ({ host }) => host,
  ),
}
