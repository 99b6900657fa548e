import { isAtGateway } from '../conditions.ts'
import { placeBelow } from '../places.ts'
import type { Rule } from '../rule.ts'

const policy = (whom: string) => `apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {name: require-jwt, namespace: istio-system}
spec:
  ${whom}
  action: DENY
  rules:
  - from:
    - source: {notRequestPrincipals: ["*"]}
`

/** `targetRefs` at a gateway that is no Kubernetes Gateway. */
export const targetOfClassicGateway: Rule = {
  id: 'target-of-classic-gateway',
  severity: 'warning',
  title: '`targetRefs` on a classic `istio: ingressgateway` deployment',
  why: '`targetRefs` reach gateways of the Kubernetes Gateway API only. A classic ingress gateway ignores the policy, so whatever it should refuse gets in.',
  remedy: 'Use `selector.matchLabels` with the labels of the gateway’s pods.',
  bad: {
    'policy.yaml': policy(
      'targetRefs: [{group: gateway.networking.k8s.io, kind: Gateway, name: istio-ingressgateway}]',
    ),
  },
  good: { 'policy.yaml': policy('selector: {matchLabels: {app: istio-ingressgateway}}') },
  find: (subject) => {
    const { gateway, istio } = subject
    const isGatewayApi = istio.some(({ value }) =>
      String((value as { apiVersion?: unknown }).apiVersion).startsWith('gateway.networking.k8s.io/'),
    )
    if (isGatewayApi) return []
    return gateway.authorizationPolicies
      .filter((policy) => policy.scope.kind === 'targets' && !isAtGateway(gateway, policy))
      .filter(({ namespace }) => namespace === gateway.workload.namespace)
      .map(({ place }) => ({
        place: placeBelow(subject, place, ['spec', 'targetRefs']),
        message: 'a classic ingress gateway ignores `targetRefs`, so this is not enforced there',
        fix: 'use `selector.matchLabels`',
      }))
  },
}
