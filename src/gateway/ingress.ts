import type { Reader } from '../policy/reader.ts'
import { parseResource, type Resource } from '../policy/resource.ts'

/** What the gateway reads of an Istio Gateway: whose pods it configures and which hosts they serve. */
export interface Ingress extends Resource {
  readonly selector: Readonly<Record<string, string>>
  /** Lower case, without the `namespace/` part. */
  readonly hosts: readonly string[]
  /** Those of servers that send plain HTTP to HTTPS (`tls.httpsRedirect`). */
  readonly httpsHosts: readonly string[]
}

/** Reads a `networking.istio.io` Gateway. Ports and TLS are the listener's own business. */
export function parseIngress(document: Reader, defaultNamespace: string): Ingress {
  const spec = document.field('spec')
  spec.refuseUnknown(['selector', 'servers'], 'warning')
  const selector = spec.field('selector')
  const servers = spec.field('servers').items()
  const hostsOf = (server: Reader) =>
    server
      .field('hosts')
      .texts()
      .map((host) => host.slice(host.indexOf('/') + 1).toLowerCase())
  return {
    ...parseResource(document, defaultNamespace),
    selector: Object.fromEntries(selector.names().map((name) => [name, selector.field(name).text() ?? ''])),
    hosts: servers.flatMap(hostsOf),
    httpsHosts: servers.filter((server) => server.field('tls').field('httpsRedirect').flag()).flatMap(hostsOf),
  }
}
