import { nearestName } from '../../../kit/problems.ts'
import { placeBelow } from '../places.ts'
import type { Rule } from '../rule.ts'

const files = (gateway: string) => ({
  'gateway.yaml': `apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: kubeflow-gateway, namespace: kubeflow}
spec:
  selector: {istio: ingressgateway}
  servers: [{port: {number: 80, name: http, protocol: HTTP}, hosts: ["*"]}]
`,
  'route.yaml': `apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: myapp, namespace: myapp}
spec:
  gateways: [${gateway}]
  hosts: ["*"]
  http:
  - match: [{uri: {prefix: /myapp/}}]
    route: [{destination: {host: myapp.myapp.svc.cluster.local}}]
`,
})

/** A route bound to a Gateway that is called otherwise. */
export const unknownGateway: Rule = {
  id: 'unknown-gateway',
  severity: 'error',
  title: 'a VirtualService is bound to a Gateway of another name or namespace',
  why: 'The route does not exist: the app answers 404, or its path falls to the dashboard. A name without a namespace is looked up in the namespace of the VirtualService.',
  remedy: 'Write `namespace/name` of the Gateway.',
  bad: files('kubeflow-gateway'),
  good: files('kubeflow/kubeflow-gateway'),
  find: (subject) => {
    const known = subject.gateway.ingresses.map(({ namespace, name }) => `${namespace}/${name}`)
    return subject.gateway.virtualServices.flatMap((service) =>
      service.gateways.flatMap((name, index) => {
        const meant = name === 'mesh' || known.includes(name) ? undefined : meantBy(name, known)
        if (meant === undefined) return []
        const place = placeBelow(subject, service.place, ['spec', 'gateways', index])
        return { place, message: `there is no Gateway \`${name}\``, fix: `write \`${meant}\`` }
      }),
    )
  },
  edits: ({ place, fix = '' }, subject) =>
    subject.gateway.virtualServices.flatMap((service) =>
      service.gateways.flatMap((name, index) => {
        const own = placeBelow(subject, service.place, ['spec', 'gateways', index])
        if (own.file !== place.file || own.line !== place.line || own.column !== place.column) return []
        const short = name.slice(name.indexOf('/') + 1)
        return {
          kind: 'replace' as const,
          place,
          from: fix.includes(`/${short}\``) ? short : name,
          to: fix.slice(7, -1),
        }
      }),
    ),
}

/** The Gateway of that name in another namespace, or of nearly that name; others may well be elsewhere. */
function meantBy(name: string, known: readonly string[]): string | undefined {
  const short = name.slice(name.indexOf('/') + 1)
  return known.find((one) => one.endsWith(`/${short}`)) ?? nearestName(name, known)
}
