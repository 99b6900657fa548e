import type { AuthorizationPolicy } from '../../../policy/authorization-policy.ts'
import { conditionsOf, isOfToken } from '../conditions.ts'
import type { Rule } from '../rule.ts'
import type { Subject } from '../subject.ts'

const authentication = `apiVersion: security.istio.io/v1
kind: RequestAuthentication
metadata: {name: dex-jwt, namespace: NAMESPACE}
spec:
  jwtRules:
  - issuer: https://platform.example.com/dex
---
`
const policy = `apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {name: team, namespace: apps}
spec:
  rules:
  - when:
    - key: request.auth.claims[groups]
      values: [team]
`

/** Claims are asked for where nobody verifies a token. */
export const principalsWithoutAuthentication: Rule = {
  id: 'principals-without-authentication',
  severity: 'error',
  title: 'token claims in a policy for workloads that verify no token',
  why: 'Principals and claims exist only where a RequestAuthentication of the same workload verified the token; the one at the gateway does not count for a sidecar. Everyone gets 403, with the best of tokens.',
  remedy: 'Add a RequestAuthentication in the policy’s namespace (or the root namespace) for the same workloads.',
  bad: { 'team.yaml': authentication.replace('NAMESPACE', 'istio-ingress') + policy },
  good: { 'team.yaml': authentication.replace('NAMESPACE', 'apps') + policy },
  find: (subject) => {
    if (subject.gateway.requestAuthentications.length === 0) return [] // the files are not the whole chain
    return conditionsOf(subject)
      .filter(({ condition: { field } }) => isOfToken(field))
      .filter(({ policy: { action } }) => action !== 'CUSTOM')
      .filter(({ policy: own }) => !isAuthenticated(own, subject))
      .map(({ condition: { field, place, isNegated } }) => ({
        place,
        message: `no RequestAuthentication verifies tokens for these workloads, so \`${field}\` ${isNegated ? 'always holds' : 'never matches'}`,
        fix: 'add a RequestAuthentication in this namespace, for the same workloads',
      }))
  },
}

function isAuthenticated({ namespace, scope }: AuthorizationPolicy, { gateway }: Subject): boolean {
  const { rootNamespace } = gateway.meshConfig
  return gateway.requestAuthentications.some((authentication) => {
    if (![namespace, rootNamespace].includes(authentication.namespace)) return false
    const other = authentication.scope
    if (other.kind === 'all' || other.kind === 'targets') return true
    if (scope.kind !== 'labels') return authentication.namespace === namespace
    // the same pods may be named by other labels: only a contradiction tells them apart
    return Object.entries(other.labels).every(([name, value]) => (scope.labels[name] ?? value) === value)
  })
}
