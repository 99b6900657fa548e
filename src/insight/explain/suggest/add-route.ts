import type { GatewayConfig } from '../../../gateway/config.ts'
import { parseVirtualService } from '../../../gateway/parse-virtual-service.ts'
import { namedSource, Problems } from '../../../kit/problems.ts'
import { Reader } from '../../../policy/reader.ts'
import type { SuggestionKind } from './kind.ts'

/** The policies let it pass, but no route leads there: add one. */
export const addRoute: SuggestionKind = ({ walk: { facts, route, cause } }) => {
  if (!facts || route || cause) return []
  const { path, host } = facts
  const end = path.indexOf('/', 1)
  const prefix = end < 0 ? path : path.slice(0, end + 1)
  return [
    {
      text: `add a VirtualService with a route for the prefix \`${prefix}\` on host \`${host}\``,
      places: [],
      size: 5,
      apply: (situation) => ({ ...situation, gateway: withService(situation.gateway, { prefix, host }) }),
    },
  ]
}

/** Bound like the services that are there. */
function withService(gateway: GatewayConfig, { prefix, host }: { prefix: string; host: string }): GatewayConfig {
  const value = {
    metadata: { name: 'new', namespace: 'new' },
    spec: {
      hosts: [host.replace(/:\d*$/, '')],
      gateways: gateway.virtualServices.flatMap(({ gateways }) => gateways).slice(0, 1),
      http: [{ match: [{ uri: { prefix } }], route: [{ destination: { host: 'new', port: { number: 80 } } }] }],
    },
  }
  const service = parseVirtualService(new Reader(value, namedSource('new'), new Problems()), 'new')
  return { ...gateway, virtualServices: [...gateway.virtualServices, service] }
}
