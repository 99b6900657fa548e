import { conditionsOfRule, isAtGateway } from '../conditions.ts'
import type { Rule } from '../rule.ts'

const policy = (ports: string) => `apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {name: read-only, namespace: databases}
spec:
  action: DENY
  rules:
  - to:
    - operation: {methods: [POST]${ports}}
`

const httpFields = /^(?:not)?(?:hosts|methods|paths|requestPrincipals)$|^request\./i

/** A DENY with HTTP fields and no ports, at workloads that may speak other protocols. */
export const denyWithoutPorts: Rule = {
  id: 'deny-without-ports',
  severity: 'warning',
  title: 'a DENY with HTTP conditions and no `ports`, off the gateway',
  why: 'On a TCP port Istio drops the conditions it cannot judge and denies by the rest: the policy meant for `POST` cuts off the database beside it.',
  remedy: 'Name the `ports` that speak HTTP.',
  bad: { 'policy.yaml': policy('') },
  good: { 'policy.yaml': policy(', ports: ["8080"]') },
  find: ({ gateway }) =>
    gateway.authorizationPolicies
      .filter(
        (one) => one.action === 'DENY' && !isAtGateway(gateway, one) && one.namespace !== gateway.workload.namespace,
      )
      .flatMap(({ rules }) => rules)
      .map((rule) => ({ rule, fields: conditionsOfRule(rule).map(({ field }) => field) }))
      .filter(({ fields }) => fields.some((field) => httpFields.test(field)))
      .filter(({ fields }) => !fields.some((field) => /^(?:notPorts|ports|destination\.port)$/.test(field)))
      .map(({ rule }) => ({
        place: rule.place,
        message: 'also denies connections to TCP ports, where its HTTP conditions are dropped',
        fix: 'add `ports`',
      })),
}
