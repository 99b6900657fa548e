import type { Rule } from '../rule.ts'

const policy = (annotations: string) => `apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {name: sign-in, namespace: istio-system${annotations}}
spec:
  action: CUSTOM
  provider: {name: oauth2-proxy}
  rules: [{}]
`

/** Dry-run does not hold back a CUSTOM policy. */
export const dryRunCustom: Rule = {
  id: 'dry-run-custom',
  severity: 'error',
  title: '`istio.io/dry-run` on a CUSTOM policy',
  why: 'The annotation holds back ALLOW and DENY only. The policy meant as a rehearsal is live: everyone is asked to sign in, or denied.',
  remedy: 'Remove the annotation; rehearse with a path of its own instead.',
  bad: { 'policy.yaml': policy(', annotations: {istio.io/dry-run: "true"}') },
  good: { 'policy.yaml': policy('') },
  told: /^`istio\.io\/dry-run` does not hold back/,
}
