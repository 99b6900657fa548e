import { conditionsOf, requestOf } from '../conditions.ts'
import { requireTokenExcept } from '../exemption-example.ts'
import { listedValues } from '../places.ts'
import type { Rule } from '../rule.ts'

/** An exemption by the end of a path, which anybody can append. */
export const suffixExemption: Rule = {
  id: 'suffix-exemption',
  severity: 'error',
  title: 'an exemption by the end of the path',
  why: 'The caller chooses how a path ends. `*/healthz` lets `/v1/models/secret:predict;/healthz` through without a login, and many servers answer it as if the end were not there.',
  remedy: 'Exempt the exact paths of the probes, or probe inside the cluster, past the gateway.',
  bad: { 'policy.yaml': requireTokenExcept('*/healthz') },
  good: { 'policy.yaml': requireTokenExcept('/healthz') },
  find: (subject) =>
    conditionsOf(subject)
      .filter(({ condition, policy: { action } }) => condition.field === 'notPaths' && action !== 'ALLOW')
      .flatMap(({ policy: resource, condition }) =>
        listedValues(subject, resource, condition)
          .filter(({ value }) => value.length > 1 && value.startsWith('*') && !value.endsWith('*'))
          .map((listed) => ({ ...listed, freed: `/anything;${listed.value.slice(1)}` }))
          .filter(({ freed }) => condition.test(requestOf({ path: freed })))
          .map(({ place, value, freed }) => ({
            place,
            message: `\`${value}\` also exempts \`${freed}\``,
            fix: `write the exact paths, such as \`${value.replace(/^\*(?!\/)/, '/main').replace(/^\*/, '')}\``,
          })),
      ),
}
