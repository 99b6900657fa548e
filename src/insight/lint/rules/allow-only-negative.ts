import { conditionsOfRule } from '../conditions.ts'
import type { Rule } from '../rule.ts'

const policy = (operation: string) => `apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {name: apps, namespace: istio-system}
spec:
  action: ALLOW
  rules:
  - to:
    - operation: {${operation}}
`

/** An ALLOW that says only what is not allowed. */
export const allowOnlyNegative: Rule = {
  id: 'allow-only-negative',
  severity: 'warning',
  title: 'an ALLOW rule with nothing but `not…` conditions',
  why: 'It allows everything it forgot to name. Another spelling of the excluded path (a doubled slash, `;x`, other case) is allowed, too, and the app answers it.',
  remedy: 'Allow positive lists; put what is forbidden into a DENY policy.',
  bad: { 'policy.yaml': policy('notPaths: ["/admin/*"]') },
  good: { 'policy.yaml': policy('paths: ["/apps/*"]') },
  find: ({ gateway }) =>
    gateway.authorizationPolicies
      .filter(({ action }) => action === 'ALLOW')
      .flatMap(({ rules }) => rules)
      .filter(({ operations }) => operations.length > 0)
      .filter((rule) => conditionsOfRule(rule).every(({ isNegated }) => isNegated))
      .map(({ place }) => ({
        place,
        message: 'allows everything but what it names, every other spelling of that included',
        fix: 'name what is allowed, or write a DENY policy',
      })),
}
