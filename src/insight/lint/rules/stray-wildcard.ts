import { conditionsOf } from '../conditions.ts'
import { listedValues } from '../places.ts'
import type { Rule } from '../rule.ts'

const policy = (groups: string) => `apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {name: admins, namespace: team}
spec:
  rules:
  - when:
    - key: request.headers[kubeflow-groups]
      values: ["${groups}"]
`

/** More than one star, or one inside: only a star at one end is a wildcard. */
export const strayWildcard: Rule = {
  id: 'stray-wildcard',
  severity: 'error',
  title: 'two wildcards in one value, or one in the middle',
  why: 'Istio looks at one star only, at the beginning or else at the end; every other one is a literal `*`. The value matches nothing anyone sends: an ALLOW locks people out with 403, a DENY lets them through.',
  remedy: 'Use one star at one end, list the values, or for paths a template such as `/a/{*}/b`.',
  bad: { 'policy.yaml': policy('*,admin,*') },
  good: { 'policy.yaml': policy('*,admin') },
  find: (subject) =>
    conditionsOf(subject)
      .filter(({ condition: { field } }) => !field.startsWith('source.ip') && !/ipBlocks$/i.test(field))
      .flatMap(({ policy: resource, condition }) =>
        listedValues(subject, resource, condition)
          .filter(({ value }) => hasStrayStar(value))
          .map(({ place, value }) => ({
            place,
            message: `\`${value}\` has a literal \`*\` in it, so it matches nothing that is sent`,
            fix: 'keep one `*`, at the beginning or the end',
          })),
      ),
}

/** `**` at an end has a rule of its own; `{*}` and `{**}` are templates. */
function hasStrayStar(value: string): boolean {
  if (value === '*' || value.includes('{*')) return false
  const inner = value.replace(/^\*+/, '').replace(/\*+$/, '')
  return inner.includes('*') || (value.startsWith('*') && value.endsWith('*') && inner !== '')
}
