import { anyOf, type ConditionKind } from './condition.ts'

/**
 * `experimental.envoy.filters.*[key]`: dynamic metadata that another Envoy filter wrote. This gateway runs none of
 * those filters, so nothing is ever there to match.
 */
export const envoyMetadata: ConditionKind = {
  argumentMistake: (argument) => (/^[^[\]]*\[[^[\]]+\]$/.test(argument) ? undefined : `\`${argument}\` names no key`),
  compile: () => () => false,
  matched: (_, { values }) => `metadata matches ${anyOf(values)}`,
  missed: (_, { argument }) => `no filter of this gateway writes the metadata \`${argument}\``,
}
