import type { Rule } from '../rule.ts'

const policy = (rule: string) => `apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {name: require-jwt, namespace: istio-system}
spec:
  action: DENY
  rules:
  - from: [{source: {notRequestPrincipals: ["*"]}}]
---
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {name: sign-in, namespace: istio-system}
spec:
  action: CUSTOM
  provider: {name: oauth2-proxy}
  rules:
  - ${rule}
`

/** Token fields in a CUSTOM policy, which runs before tokens are verified. */
export const tokenInCustom: Rule = {
  id: 'token-in-custom',
  severity: 'error',
  title: 'a CUSTOM policy asks for token claims or peer identity',
  why: 'The provider is asked before tokens are verified. Istio’s webhook refuses the policy; applied past it, the rule is dropped and nobody is sent to the login.',
  remedy:
    'In CUSTOM match paths, hosts and headers (`request.headers[authorization]`); ask for claims in ALLOW or DENY.',
  bad: { 'policy.yaml': policy('from: [{source: {notRequestPrincipals: ["*"]}}]') },
  good: { 'policy.yaml': policy('when: [{key: "request.headers[authorization]", notValues: ["*"]}]') },
  told: /cannot be used in a CUSTOM policy/,
}
