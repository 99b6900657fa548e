import { conditionsOf, isAtGateway, requestOf } from '../conditions.ts'
import { listedValues } from '../places.ts'
import type { Rule } from '../rule.ts'

const files = (normalisation: string) => ({
  'mesh.yaml': `pathNormalization: {normalization: ${normalisation}}\n`,
  'policy.yaml': `apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {name: no-admin, namespace: istio-system}
spec:
  action: DENY
  rules:
  - to:
    - operation: {paths: ["/admin", "/admin/*"]}
`,
})

/** A DENY by path where a doubled slash is another path. */
export const denyByPath: Rule = {
  id: 'deny-by-path',
  severity: 'warning',
  title: 'a DENY by path while slashes are not merged',
  why: 'Under the default normalisation `//admin` is not `/admin`: the DENY does not match, and many servers answer both alike.',
  remedy:
    'Set `pathNormalization.normalization: MERGE_SLASHES` in MeshConfig, or deny with `notPaths` what is not allowed.',
  bad: files('BASE'),
  good: files('MERGE_SLASHES'),
  find: (subject) => {
    const { pathNormalisation } = subject.gateway.meshConfig
    if (pathNormalisation !== 'BASE' && pathNormalisation !== 'NONE') return []
    return conditionsOf(subject)
      .filter(({ policy: own, condition }) => own.action === 'DENY' && condition.field === 'paths')
      .filter(({ policy: own }) => isAtGateway(subject.gateway, own))
      .flatMap(({ policy: resource, condition }) =>
        listedValues(subject, resource, condition)
          .filter(({ value }) => /^\/[^?#]+$/.test(value))
          .map((listed) => ({ ...listed, evasion: `/${listed.value.replace(/\*$/, '').replace(/\{\*+\}/g, 'x')}` }))
          .filter(({ evasion }) => !condition.test(requestOf({ path: evasion })))
          .map(({ place, value, evasion }) => ({
            place,
            message: `denies \`${value}\`, but not \`${evasion}\``,
            fix: 'set `pathNormalization.normalization: MERGE_SLASHES` in MeshConfig',
          })),
      )
  },
}
