import { conditionsOf, isAtGateway } from '../conditions.ts'
import { listedValues } from '../places.ts'
import type { Rule } from '../rule.ts'

const policy = (port: string) => `apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {name: plain-http, namespace: istio-system}
spec:
  action: DENY
  rules:
  - to:
    - operation: {ports: ["${port}"]}
`

/** The port of the Service where the pod's is meant. */
export const servicePort: Rule = {
  id: 'service-port',
  severity: 'warning',
  title: '`ports` names the port of the Service',
  why: 'The gateway’s pod listens on 8080 and 8443; 80 and 443 are those of the Service in front of it. The rule never matches: a DENY denies nothing, an ALLOW allows nothing.',
  remedy: 'Write the `targetPort`, 8080 or 8443.',
  bad: { 'policy.yaml': policy('80') },
  good: { 'policy.yaml': policy('8080') },
  find: (subject) =>
    conditionsOf(subject)
      .filter(({ policy: own }) => isAtGateway(subject.gateway, own))
      .filter(({ condition: { field } }) => ['ports', 'notPorts', 'destination.port'].includes(field))
      .flatMap(({ policy: resource, condition }) =>
        listedValues(subject, resource, condition)
          .filter(({ value }) => value === '80' || value === '443')
          .map(({ place, value }) => ({
            place,
            message: `the gateway’s pod does not listen on ${value}, so this never matches`,
            fix: `write ${value === '80' ? '8080' : '8443'}, the port of the pod`,
          })),
      ),
}
