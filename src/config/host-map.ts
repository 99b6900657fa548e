import { type AppRoute, type ChainPart, partHosts } from './stock.ts'

/**
 * Host names inside the cluster (canonical: lower case, no port, short service names completed) and the part that
 * answers for each here: for back-channel requests of the parts, destinations of VirtualServices and services of
 * extension providers. The public origin is not in it: that is the gateway itself.
 */
export type HostMap = ReadonlyMap<string, ChainPart>

/** The names that stock resources use for the running parts and for those of the demo apps that have a route. */
export function hostsOf(apps: readonly AppRoute[]): HostMap {
  const isRouted = (host: string) => apps.some((app) => app.host === host)
  // the keys of the literal are exactly the parts
  const parts = Object.entries(partHosts).map(([part, host]) => [host, part as ChainPart] as const)
  return new Map(parts.filter(([host, part]) => (part !== 'echo' && part !== 'notes') || isRouted(host)))
}

/** The part that answers for a host, as written in a URL, a destination or a provider (`ns/host`, `host:port`). */
export function partAt(hosts: HostMap, host: string, namespace?: string): ChainPart | undefined {
  return hosts.get(serviceName(host, namespace))
}

/**
 * The full name of a service: `dex` (in namespace `auth`), `dex.auth.svc` and `auth/dex.auth.svc.cluster.local:5556` are
 * `dex.auth.svc.cluster.local`. Other hosts stay, in lower case and without their port.
 */
export function serviceName(host: string, namespace?: string): string {
  const name = host
    .replace(/^[^/]*\//, '')
    .replace(/:\d+$/, '')
    .replace(/\.$/, '')
    .toLowerCase()
  if (name.endsWith('.svc')) return `${name}.cluster.local`
  return !name.includes('.') && namespace ? `${name}.${namespace}.svc.cluster.local` : name
}

/** Whether a host is one that only the inside of a cluster resolves. */
export function isInCluster(host: string): boolean {
  const name = serviceName(host)
  return name.endsWith('.cluster.local') || (!name.includes('.') && name !== 'localhost')
}

/** The path of a URL (or of a path), without a slash at its end. */
export function pathOf(url: string): string {
  return url
    .replace(/^https?:\/\/[^/?#]*/, '')
    .replace(/[?#].*$/, '')
    .replace(/\/$/, '')
}
