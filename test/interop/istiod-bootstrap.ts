/** What istiod sends a gateway, as one static configuration for a plain Envoy with a listener for every group. */
import type { Apps } from '../corpus/apps.ts'
import type { PilotAnswer } from './pilot.ts'

type Json = { readonly [name: string]: unknown }

export function istiodBootstrap(
  groups: readonly { readonly port: number; readonly answer: PilotAnswer }[],
  apps: Apps,
  adminPort: number,
): Json {
  const own = groups.map(({ port, answer }, at) => inNamespaceOf(at, { port, answer }))
  return {
    admin: { address: address(adminPort) },
    layered_runtime: { layers: [{ name: 'istio', static_layer: runtime }] },
    static_resources: {
      listeners: own.flatMap(({ answer, port }) => (answer.listeners ?? []).map((one) => listener(one, answer, port))),
      clusters: own.flatMap(({ answer }) => clusters(answer, apps)),
    },
  }
}

/** What istiod's bootstrap sets. */
const runtime = { 'envoy.reloadable_features.http_reject_path_with_fragment': false }

/** Clusters of one group have names of their own. */
function inNamespaceOf<T extends object>(at: number, given: T): T {
  return JSON.parse(JSON.stringify(given).replaceAll('"outbound|', `"${at} outbound|`)) as T
}

function address(port: number): Json {
  return { socket_address: { address: '127.0.0.1', port_value: port } }
}

/** Filters only Istio's own build of Envoy has; they tell and count, but decide nothing. */
const istioFilters = new Set(['istio.metadata_exchange', 'istio.alpn', 'istio.stats', 'istio.peer_metadata'])

function listener(given: Json, { routes = [] }: PilotAnswer, port: number): Json {
  // two Envoys on one port would share its connections, unasked
  const own = { name: `listener_${port}`, address: address(port), enableReusePort: false }
  const text = JSON.stringify({ ...given, ...own })
  return JSON.parse(text, (name, value: unknown) => {
    if (['tracing', 'accessLog', 'rds', 'requestIdExtension'].includes(name)) return undefined
    if (name === 'httpFilters') return (value as Json[]).filter((one) => !istioFilters.has(String(one['name'])))
    // the routes stand in the place of where to get them
    if (name === 'typedConfig' && isManager(value)) return { ...value, routeConfig: routes[0] }
    return value
  }) as Json
}

function isManager(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && 'httpFilters' in value
}

/** Only what routes and providers lead to: istiod's own (`BlackHoleCluster` …) are not reached at a gateway. */
function clusters({ clusters: given = [] }: PilotAnswer, apps: Apps): readonly Json[] {
  return given.flatMap(({ name, typedExtensionProtocolOptions }) => {
    const [, service] = /outbound\|.*\|([^|]+)$/.exec(String(name)) ?? []
    if (service === undefined) return []
    const endpoint = { address: address(apps.portOf(service)) }
    const loadAssignment = { clusterName: name, endpoints: [{ lbEndpoints: [{ endpoint }] }] }
    return [{ name, type: 'STATIC', connectTimeout: '5s', typedExtensionProtocolOptions, loadAssignment }]
  })
}
