import type { Rule } from './rule.ts'

/** Not a mistake of one kind but everything else that loading the files refuses or warns of. */
export const configuration: Rule = {
  id: 'configuration',
  severity: 'error',
  title: 'a file says something that `gatehouse up --from` would refuse, or warn of',
  why: 'Gatehouse does not start on it. The original either refuses it, too, or starts and ignores the line.',
  remedy: 'Do what the finding says: it names the field, what was found there and what would do.',
  bad: {
    'policy.yaml': `apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {name: admins, namespace: istio-system}
spec:
  action: DENIED
  rules: [{}]
`,
  },
  good: {
    'policy.yaml': `apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {name: admins, namespace: istio-system}
spec:
  action: DENY
  rules: [{}]
`,
  },
}
