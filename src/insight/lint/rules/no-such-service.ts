import { nearestName } from '../../../kit/problems.ts'
import type { Place } from '../../../policy/reader.ts'
import type { Found, Rule } from '../rule.ts'
import type { Subject } from '../subject.ts'

const files = (port: number) => ({
  'service.yaml': `apiVersion: v1
kind: Service
metadata: {name: oauth2-proxy, namespace: oauth2-proxy}
spec:
  ports: [{name: http, port: 80, targetPort: 4180}]
`,
  'mesh.yaml': `extensionProviders:
- name: oauth2-proxy
  envoyExtAuthzHttp:
    service: oauth2-proxy.oauth2-proxy.svc.cluster.local
    port: ${port}
    includeRequestHeadersInCheck: [authorization, cookie]
    headersToUpstreamOnAllow: [authorization]
`,
})

/** A route or a provider that leads to a port which is not there, or a provider to a Service which is not. */
export const noSuchService: Rule = {
  id: 'no-such-service',
  severity: 'error',
  title: 'a route or a provider names a port that its Service does not have, or a provider a Service of another name',
  why: 'A provider that is not there refuses everything with 403, before any login; a route answers 503. The port is that of the Service, not of the pod (`targetPort`).',
  remedy: 'Write name, namespace and port of the Service.',
  bad: files(4180),
  good: files(80),
  find: (subject) => addressesOf(subject).flatMap((address) => misfit(address, subject) ?? []),
}

interface Address {
  readonly host: string
  /** The namespace a short name is looked up in. */
  readonly namespace: string
  readonly port: number | undefined
  readonly place: Place
  /** Whether its Service belongs to the chain, so that one nearly of its name is meant; apps may be elsewhere. */
  readonly isOfChain: boolean
}

/** Where the gateway connects to. */
function addressesOf({ gateway }: Subject): Address[] {
  const { meshConfig, virtualServices, workload } = gateway
  const providers = meshConfig.extensionProviders.flatMap(({ service, port, place }) => {
    const [host = '', namespace = workload.namespace] = service.split('/').toReversed()
    return place ? [{ host, namespace, port, place, isOfChain: true }] : []
  })
  const routes = virtualServices.flatMap(({ http }) =>
    http.flatMap(({ action, place }) =>
      action.kind === 'forward'
        ? action.destinations.map((destination) => ({ ...destination, place, isOfChain: false }))
        : [],
    ),
  )
  return [...providers, ...routes]
}

function misfit(
  { host, namespace, port, place, isOfChain }: Address,
  { gateway: { services } }: Subject,
): Found | undefined {
  const key = keyOf(host, namespace)
  if (key === undefined) return undefined
  const service = services.find((one) => one.key === key)
  if (!service) {
    const meant =
      isOfChain &&
      nearestName(
        key,
        services.map((one) => one.key),
      )
    return meant
      ? { place, message: `there is no Service \`${key}\` among the files`, fix: `did you mean \`${meant}\`?` }
      : undefined
  }
  const ports = service.ports.map(({ number }) => number)
  if (port === undefined || ports.includes(port)) return undefined
  return {
    place,
    message: `the Service \`${key}\` has no port ${port}`,
    fix: `write ${ports.join(' or ') || 'one it has'}`,
  }
}

/** `name.namespace` of a host inside the cluster. */
function keyOf(host: string, namespace: string): string | undefined {
  const [name, own = namespace, svc = 'svc'] = host.split('.')
  return svc === 'svc' ? `${name}.${own}` : undefined
}
