import type { Reader } from '../policy/reader.ts'
import { parseResource, type Resource } from '../policy/resource.ts'
import { checkHost } from './check-route.ts'

/** What the gateway reads of an Istio Gateway: whose pods it configures and which hosts they serve. */
export interface Ingress extends Resource {
  readonly selector: Readonly<Record<string, string>>
  readonly hosts: readonly ServedHost[]
  /** In lower case, those of servers that send plain HTTP to HTTPS (`tls.httpsRedirect`). */
  readonly httpsHosts: readonly string[]
}

/** A host, and whose VirtualServices may use it (`namespace/host`). */
export interface ServedHost {
  /** `*` for those of every namespace. */
  readonly namespace: string
  /** Lower case. */
  readonly host: string
}

/** Reads a `networking.istio.io` Gateway. Ports and TLS are the listener's own business. */
export function parseIngress(document: Reader, defaultNamespace: string): Ingress {
  const spec = document.field('spec')
  spec.refuseUnknown(['selector', 'servers'], 'warning')
  const selector = spec.field('selector')
  const servers = spec.field('servers').items()
  for (const server of servers) {
    for (const host of server.field('hosts').texts())
      checkHost(host.slice(host.indexOf('/') + 1), server.field('hosts'))
  }
  const resource = parseResource(document, defaultNamespace)
  const hostsOf = (server: Reader) =>
    server
      .field('hosts')
      .texts()
      .map((text) => servedHost(text, resource.namespace))
  return {
    ...resource,
    selector: Object.fromEntries(selector.names().map((name) => [name, selector.field(name).text() ?? ''])),
    hosts: servers.flatMap(hostsOf),
    httpsHosts: servers
      .filter((server) => server.field('tls').field('httpsRedirect').flag())
      .flatMap(hostsOf)
      .map(({ host }) => host),
  }
}

function servedHost(text: string, own: string): ServedHost {
  const slash = text.indexOf('/')
  const namespace = slash < 0 ? '*' : text.slice(0, slash)
  return { namespace: namespace === '.' ? own : namespace, host: text.slice(slash + 1).toLowerCase() }
}
