import { compileTexts } from '../text-match.ts'
import { type ConditionKind, textReasons } from './condition.ts'

/** `:authority` as sent, port and trailing dot included, without regard to case. */
export const hosts: ConditionKind = {
  compile(values) {
    const matches = compileTexts(values, { any: 'present', ignoreCase: true })
    return ({ host }) => matches(host)
  },
  ...textReasons(
    () => 'host',
    ({ host }) => host,
  ),
}
