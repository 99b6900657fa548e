import { decide, decideCustom } from '../../../policy/decide.ts'
import { policiesAtGateway, requestOf } from '../conditions.ts'
import type { Rule } from '../rule.ts'

const custom = `apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {name: sign-in, namespace: istio-system}
spec:
  action: CUSTOM
  provider: {name: oauth2-proxy}
  rules:
  - when:
    - {key: "request.headers[authorization]", notValues: ["*"]}
`
const deny = `---
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {name: require-jwt, namespace: istio-system}
spec:
  action: DENY
  rules:
  - from:
    - source: {notRequestPrincipals: ["*"]}
`

const stranger = requestOf({ path: '/api/x' })
const impostor = requestOf({ path: '/api/x', headers: { authorization: 'Basic eA==' } })

/** A CUSTOM policy that nothing stands behind. */
export const customWithoutDeny: Rule = {
  id: 'custom-without-deny',
  severity: 'error',
  title: 'a CUSTOM policy without the DENY that belongs to it',
  why: 'Whoever sends any `Authorization` header is not asked to sign in, and oauth2-proxy itself says yes to `/ping`, `/ready` and `/robots.txt`. Without a DENY for requests without a verified token they reach the apps.',
  remedy: 'Add a DENY policy with `notRequestPrincipals: ["*"]` and the same `notPaths`.',
  bad: { 'policies.yaml': custom },
  good: { 'policies.yaml': custom + deny },
  find: (subject) => {
    const policies = policiesAtGateway(subject)
    if (!decide(policies, impostor).isAllowed) return []
    return policies.custom
      .filter((rules) => decideCustom(rules, stranger).kind !== 'pass' && decideCustom(rules, impostor).kind === 'pass')
      .flatMap(({ rules: [first] }) => (first ? [first.policy.place] : []))
      .map((place) => ({
        place,
        message: 'any `Authorization` header gets past this policy, and no DENY or ALLOW asks for a verified token',
        fix: 'add a DENY policy with `notRequestPrincipals: ["*"]` and the same `notPaths`',
      }))
  },
}
