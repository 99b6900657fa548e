import type { VirtualService } from '../../../gateway/virtual-service.ts'
import type { Place } from '../../../policy/reader.ts'
import { byAge } from '../../../policy/resource.ts'
import { documentOf, placeIn, seenAt, valueAtPath } from '../places.ts'
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
  title: 'a prefix inside the prefix of another VirtualService',
  why: 'Routes of several VirtualServices are tried by the age of the resource. Where the wider prefix is older, this route is dead: users get the other app, or its 404. After the next reinstall it may be the other way round.',
  remedy: 'Put both routes into one VirtualService, the narrower first, or end prefixes with `/`.',
  bad: { 'routes.yaml': `${service('a-tools', '/tools')}---\n${service('notebooks', '/tools-beta/')}` },
  good: { 'routes.yaml': `${service('a-tools', '/tools/')}---\n${service('notebooks', '/tools-beta/')}` },
  find: (subject) => {
    const routes = prefixesOf(subject)
    return routes.flatMap((route, index) => {
      const [taker] = routes.filter((other, at) => isTaken(route, { other, isEarlier: at < index }))
      if (!taker) return []
      const by = `\`${taker.prefix}\` of \`${taker.service.name}\`${seenAt(taker.place)}`
      const isKnown = taker.service.createdAt !== '' && route.service.createdAt !== ''
      return {
        place: route.place,
        message: isKnown
          ? `\`${route.prefix}\` is never reached, as ${by} is older`
          : `\`${route.prefix}\` is only reached where it is older than ${by}`,
        fix: 'put both into one VirtualService, the narrower first',
      }
    })
  },
}

interface PrefixRoute {
  readonly service: VirtualService
  readonly prefix: string
  readonly place: Place
  /** Whether nothing but the prefix is asked for. */
  readonly isOnly: boolean
}

function isTaken(route: PrefixRoute, { other, isEarlier }: { other: PrefixRoute; isEarlier: boolean }): boolean {
  const { service } = route
  if (other.service === service || !other.isOnly || !route.prefix.startsWith(other.prefix)) return false
  const isAgeKnown = other.service.createdAt !== '' && service.createdAt !== ''
  // of two alike, the second is told
  if ((isAgeKnown || route.prefix === other.prefix) && !isEarlier) return false
  const isShared = (list: 'hosts' | 'gateways') => other.service[list].some((one) => service[list].includes(one))
  return isShared('hosts') && isShared('gateways')
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
        if (!document || typeof prefix !== 'string' || prefix === '/') return []
        const isOnly = Object.keys(Object(match)).every((key) => key === 'uri' || key === 'name')
        return [{ service, prefix, place: placeIn(document, ['spec', 'http', index]), isOnly }]
      })
    })
  })
}
