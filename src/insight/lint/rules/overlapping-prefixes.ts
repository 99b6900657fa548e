import type { VirtualService } from '../../../gateway/virtual-service.ts'
import type { Place } from '../../../policy/reader.ts'
import { byAge } from '../../../policy/resource.ts'
import { documentOf, seenAt, valueAtPath } from '../places.ts'
import type { Rule } from '../rule.ts'
import type { Subject } from '../subject.ts'

const service = (name: string, prefix: string) => `apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: ${name}, namespace: apps}
spec:
  gateways: [kubeflow/kubeflow-gateway]
  hosts: ["*"]
  http:
  - match: [{uri: {prefix: ${prefix}}}]
    route: [{destination: {host: ${name}.apps.svc.cluster.local}}]
`

/** Prefixes of two VirtualServices, one inside the other. */
export const overlappingPrefixes: Rule = {
  id: 'overlapping-prefixes',
  severity: 'warning',
  title: 'a route that one of another VirtualService takes first',
  why: 'Routes of several VirtualServices are tried by the age of the resource. The wider prefix is older (or its name sorts first), so this route is dead: users get the other app or its 404. After the next reinstall it may be the other way round.',
  remedy: 'Put both routes into one VirtualService, the narrower first, or end prefixes with `/`.',
  bad: { 'routes.yaml': `${service('a-tools', '/tools')}---\n${service('notebooks', '/tools-beta/')}` },
  good: { 'routes.yaml': `${service('a-tools', '/tools/')}---\n${service('notebooks', '/tools-beta/')}` },
  find: (subject) => {
    const routes = prefixesOf(subject)
    return routes.flatMap((route, index) => {
      const earlier = routes.slice(0, index).find((other) => isTaken(route, other))
      if (!earlier) return []
      return {
        place: route.place,
        message: `\`${route.prefix}\` is never reached, as \`${earlier.prefix}\` of \`${earlier.service.name}\`${seenAt(earlier.place)} comes first`,
        fix: 'put both into one VirtualService, the narrower first',
      }
    })
  },
}

interface PrefixRoute {
  readonly service: VirtualService
  readonly prefix: string
  readonly place: Place
  readonly isOnly: boolean
}

function isTaken(route: PrefixRoute, other: PrefixRoute): boolean {
  if (other.service === route.service || !other.isOnly || !route.prefix.startsWith(other.prefix)) return false
  return other.service.hosts.some((host) => route.service.hosts.includes(host))
}

/** Every route by a prefix that is no catch-all (those are tried last), in the order they are tried. */
function prefixesOf(subject: Subject): PrefixRoute[] {
  return subject.gateway.virtualServices.toSorted(byAge).flatMap((service) => {
    const document = documentOf(subject, service)
    const http = document && valueAtPath(document.value, ['spec', 'http'])
    return (Array.isArray(http) ? http : []).flatMap((route: unknown, index) => {
      const matches = valueAtPath(route, ['match'])
      return (Array.isArray(matches) ? matches : []).flatMap((match: unknown) => {
        const prefix = valueAtPath(match, ['uri', 'prefix'])
        const place = service.http[index]?.place
        if (typeof prefix !== 'string' || prefix === '/' || !place) return []
        return [
          {
            service,
            prefix,
            place,
            isOnly: Object.keys(match as object).every((key) => key === 'uri' || key === 'name'),
          },
        ]
      })
    })
  })
}
