import type { AuthorizationPolicy } from '../../../policy/authorization-policy.ts'
import { conditionsOfRule, isAtGateway, isOfToken } from '../conditions.ts'
import { placeBelow } from '../places.ts'
import type { Rule } from '../rule.ts'
import type { Subject } from '../subject.ts'

const policy = (app: string) => `apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {name: require-jwt, namespace: istio-system}
spec:
  selector:
    matchLabels: {app: ${app}}
  action: DENY
  rules:
  - from:
    - source: {notRequestPrincipals: ["*"]}
`

/** A policy in the gateway's namespace that selects no pod. */
export const selectorMatchesNothing: Rule = {
  id: 'selector-matches-nothing',
  severity: 'warning',
  title: 'a selector that matches neither the gateway nor a pod among the files',
  why: 'The policy is accepted and enforced nowhere. Where it should require a token, everyone gets in.',
  remedy:
    'Copy the labels of the pods: `kubectl get pods -n istio-system --show-labels`; Istio’s gateway has `app: istio-ingressgateway` and `istio: ingressgateway`.',
  bad: { 'policy.yaml': policy('ingressgateway') },
  good: { 'policy.yaml': policy('istio-ingressgateway') },
  find: (subject) => {
    const { gateway } = subject
    const policies = gateway.authorizationPolicies.filter(
      (policy) => !isAtGateway(gateway, policy) && isOfSignIn(policy),
    )
    const authentications = gateway.requestAuthentications.filter(
      ({ namespace, scope }) => scope.kind === 'labels' && namespace === gateway.workload.namespace,
    )
    return [...policies, ...authentications]
      .filter(({ namespace }) => namespace === gateway.workload.namespace)
      .flatMap(({ scope, place }) => {
        if (scope.kind !== 'labels' || isKnown(scope.labels, subject)) return []
        const labels = Object.entries(scope.labels).map(([name, value]) => `\`${name}: ${value}\``)
        return {
          place: placeBelow(subject, place, ['spec', 'selector', 'matchLabels']),
          message: `no pod is known with ${labels.join(' and ')}, so this is enforced nowhere`,
          fix: 'copy the labels of the pods',
        }
      })
  },
}

/** Other policies may be for pods that are not among the files. */
function isOfSignIn({ action, rules }: AuthorizationPolicy): boolean {
  return action === 'CUSTOM' || rules.flatMap(conditionsOfRule).some(({ field }) => isOfToken(field))
}

function isKnown(labels: Readonly<Record<string, string>>, { gateway, podLabels, istio }: Subject): boolean {
  const selectors = istio.map(({ value }) => {
    const { kind, spec } = value as { kind?: unknown; spec?: { selector?: unknown } | null }
    return kind === 'Gateway' ? ((spec?.selector ?? {}) as Readonly<Record<string, unknown>>) : {}
  })
  const fits = (pod: Readonly<Record<string, unknown>>) =>
    Object.entries(labels).every(([name, value]) => pod[name] === value)
  return [gateway.workload.labels, ...podLabels, ...selectors].some(fits)
}
