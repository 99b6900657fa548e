import { conditionsOf } from '../conditions.ts'
import type { Rule } from '../rule.ts'

const policy = (action: string) => `apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {name: require-jwt, namespace: istio-system}
spec:
  action: ${action}
  rules:
  - from:
    - source:
        notRequestPrincipals: ["*"]
`

/** ALLOW for those who have no token. */
export const notPrincipalsInAllow: Rule = {
  id: 'not-principals-in-allow',
  severity: 'error',
  title: '`notRequestPrincipals` in an ALLOW policy',
  why: 'It allows exactly those who are not signed in: strangers get the page, users get 403 as soon as they have a token.',
  remedy: 'Use `action: DENY` with `notRequestPrincipals: ["*"]`, or ALLOW with `requestPrincipals`.',
  bad: { 'policy.yaml': policy('ALLOW') },
  good: { 'policy.yaml': policy('DENY') },
  find: (subject) =>
    conditionsOf(subject)
      .filter(({ policy: { action }, condition: { field } }) => action === 'ALLOW' && field === 'notRequestPrincipals')
      .map(({ condition: { place } }) => ({
        place,
        message: 'allows requests without a verified token, and refuses those with one',
        fix: 'write `action: DENY`, or `requestPrincipals`',
      })),
}
