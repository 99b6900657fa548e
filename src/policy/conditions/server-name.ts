import { compileTexts } from '../text-match.ts'
import { type ConditionKind, textReasons } from './condition.ts'

/** The TLS server name (`connection.sni`); absent without TLS. */
export const serverName: ConditionKind = {
  compile(values) {
    const matches = compileTexts(values)
    return (facts) => matches(facts.serverName)
  },
  ...textReasons(
    () => 'TLS server name',
    (facts) => facts.serverName,
  ),
}
