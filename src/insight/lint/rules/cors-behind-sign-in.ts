import { decideCustom } from '../../../policy/decide.ts'
import { policiesAtGateway, requestOf } from '../conditions.ts'
import { documentOf, placeIn, seenAt, valueAtPath } from '../places.ts'
import type { Rule } from '../rule.ts'

const files = (path: string) => `apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: api, namespace: apps}
spec:
  gateways: [kubeflow/kubeflow-gateway]
  hosts: ["*"]
  http:
  - match: [{uri: {prefix: /api/}}]
    corsPolicy: {allowOrigins: [{exact: "https://app.example.com"}], allowMethods: [GET]}
    route: [{destination: {host: api.apps.svc.cluster.local}}]
---
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {name: sign-in, namespace: istio-system}
spec:
  action: CUSTOM
  provider: {name: oauth2-proxy}
  rules:
  - to:
    - operation: {${path}}
`

/** CORS that the sign-in answers first. */
export const corsBehindSignIn: Rule = {
  id: 'cors-behind-sign-in',
  severity: 'warning',
  title: '`corsPolicy` on a route that a CUSTOM policy guards',
  why: 'A preflight carries no cookie, and authorization comes before CORS: it is answered by the login, and the browser says “blocked by CORS policy” while `curl` works.',
  remedy: 'Leave preflights out of the CUSTOM rule (`notMethods: [OPTIONS]`) and of the DENY beside it.',
  isOfIstio: true,
  bad: { 'api.yaml': files('notPaths: [/healthz]') },
  good: { 'api.yaml': files('notMethods: [OPTIONS]') },
  find: (subject) => {
    const { custom } = policiesAtGateway(subject)
    return subject.gateway.virtualServices.flatMap((service) => {
      const document = documentOf(subject, service)
      const http = document && valueAtPath(document.value, ['spec', 'http'])
      return (Array.isArray(http) ? http : []).flatMap((route: unknown, index) => {
        if (!document || !valueAtPath(route, ['corsPolicy'])) return []
        const uri = valueAtPath(route, ['match', 0, 'uri'])
        const prefix = valueAtPath(uri, ['prefix']) ?? valueAtPath(uri, ['exact']) ?? '/'
        const origin = { origin: 'https://elsewhere.example', 'access-control-request-method': 'GET' }
        const preflight = requestOf({ method: 'OPTIONS', path: String(prefix), headers: origin })
        for (const rules of custom) {
          const decision = decideCustom(rules, preflight)
          if (decision.kind === 'pass') continue
          return {
            place: placeIn(document, ['spec', 'http', index, 'corsPolicy']),
            message: `preflights never get here: \`${decision.rule.policy.name}\`${seenAt(decision.rule.rule.place)} asks \`${rules.provider}\` first`,
            fix: 'add `notMethods: [OPTIONS]` to that rule',
          }
        }
        return []
      })
    })
  },
}
