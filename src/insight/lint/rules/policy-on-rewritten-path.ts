import { conditionsOf, isAboutPaths, isAtGateway } from '../conditions.ts'
import { documentOf, listedValues, placeIn, seenAt, valueAtPath } from '../places.ts'
import type { Rule } from '../rule.ts'
import type { Subject } from '../subject.ts'

const files = (path: string) => `apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: models, namespace: apps}
spec:
  gateways: [kubeflow/kubeflow-gateway]
  hosts: ["*"]
  http:
  - match: [{uri: {prefix: /models/}}]
    rewrite: {uri: /internal/}
    route: [{destination: {host: models.apps.svc.cluster.local}}]
---
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {name: no-admin, namespace: istio-system}
spec:
  action: DENY
  rules:
  - to:
    - operation: {paths: ["${path}/{**}"]}
`

/** A policy for the path an app sees, which the gateway does not. */
export const policyOnRewrittenPath: Rule = {
  id: 'policy-on-rewritten-path',
  severity: 'error',
  title: 'a policy at the gateway names a path that only exists after a rewrite',
  why: 'Policies are judged on the path the browser sent, before the route rewrites it. A DENY for the rewritten path denies nothing.',
  remedy: 'Name the path as it is requested.',
  bad: { 'models.yaml': files('/internal/admin') },
  good: { 'models.yaml': files('/models/admin') },
  find: (subject) => {
    const rewrites = rewritesOf(subject)
    return conditionsOf(subject)
      .filter(({ condition, policy: own }) => isAboutPaths(condition) && isAtGateway(subject.gateway, own))
      .flatMap(({ policy: resource, condition }) => listedValues(subject, resource, condition))
      .flatMap(({ place, value }) => {
        const rewrite = rewrites.find(({ uri, prefix }) => value.startsWith(uri) && !value.startsWith(prefix))
        const isRequested = rewrites.some(({ prefix }) => value.startsWith(prefix))
        if (!rewrite || isRequested) return []
        return {
          place,
          message: `\`${value}\` is a path after the rewrite${seenAt(rewrite.place)}; policies see \`${rewrite.prefix}\``,
          fix: `write \`${rewrite.prefix}${value.slice(rewrite.uri.length)}\``,
        }
      })
  },
}

function rewritesOf(subject: Subject) {
  return subject.gateway.virtualServices.flatMap((service) => {
    const document = documentOf(subject, service)
    const http = document && valueAtPath(document.value, ['spec', 'http'])
    return (Array.isArray(http) ? http : []).flatMap((route: unknown, index) => {
      const uri = valueAtPath(route, ['rewrite', 'uri'])
      const prefix = valueAtPath(route, ['match', 0, 'uri', 'prefix'])
      if (!document || typeof uri !== 'string' || typeof prefix !== 'string' || uri === '/') return []
      return [{ uri, prefix, place: placeIn(document, ['spec', 'http', index]) }]
    })
  })
}
