import type { Reader } from '../policy/reader.ts'
import { parseResource, type Resource } from '../policy/resource.ts'

/** What the gateway reads of an Istio Gateway: whose pods it configures and which hosts they serve. */
export interface Ingress extends Resource {
  readonly selector: Readonly<Record<string, string>>
  /** Lower case, without the `namespace/` part. */
  readonly hosts: readonly string[]
}

/** Reads a `networking.istio.io` Gateway. Ports and TLS are the listener's own business. */
export function parseIngress(document: Reader, defaultNamespace: string): Ingress {
  const spec = document.field('spec')
  spec.refuseUnknown(['selector', 'servers'], 'warning')
  const selector = spec.field('selector')
  const hosts = spec
    .field('servers')
    .items()
    .flatMap((server) => {
      const redirects = server.field('tls').field('httpsRedirect')
      if (redirects.flag()) redirects.warn('`httpsRedirect` has no effect on this gateway yet')
      return server.field('hosts').texts()
    })
  return {
    ...parseResource(document, defaultNamespace),
    selector: Object.fromEntries(selector.names().map((name) => [name, selector.field(name).text() ?? ''])),
    hosts: hosts.map((host) => host.slice(host.indexOf('/') + 1).toLowerCase()),
  }
}
