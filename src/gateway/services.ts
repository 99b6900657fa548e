import type { Reader } from '../policy/reader.ts'
import { parseResource } from '../policy/resource.ts'

/** What routes need to know of a Kubernetes Service or a ServiceEntry: its ports and what they speak. */
export interface Service {
  /** `name.namespace`, or a ServiceEntry's host. */
  readonly key: string
  readonly ports: readonly ServicePort[]
}

interface ServicePort {
  readonly number: number
  /** Speaks HTTP/2 without TLS, as Istio reads it from `appProtocol` or the port's name. */
  readonly isHttp2: boolean
}

/** Reads a `v1` Service. */
export function parseService(document: Reader, defaultNamespace: string): Service {
  const { name, namespace } = parseResource(document, defaultNamespace)
  return { key: `${name}.${namespace}`, ports: parsePorts(document, 'port') }
}

/** Reads a `networking.istio.io` ServiceEntry: a service for each of its hosts. */
export function parseServiceEntry(document: Reader, defaultNamespace: string): readonly Service[] {
  const { namespace } = parseResource(document, defaultNamespace)
  const ports = parsePorts(document, 'number')
  const hosts = document.field('spec').field('hosts').texts()
  return hosts.map((host) => ({ key: serviceKey(host.toLowerCase(), namespace), ports }))
}

function parsePorts(document: Reader, member: 'port' | 'number'): readonly ServicePort[] {
  return document
    .field('spec')
    .field('ports')
    .items()
    .flatMap((port) => {
      const number = port.field(member).integer()
      const told = member === 'port' ? port.field('appProtocol').text() : port.field('protocol').text()
      return number === undefined ? [] : [{ number, isHttp2: speaksHttp2(told, port.field('name').text()) }]
    })
}

/** `appProtocol` outranks the name; of either what stands before the first `-` counts (istio pkg/config/kube/conversion.go). */
function speaksHttp2(told: string | undefined, name = ''): boolean {
  const text = (told ?? name).toLowerCase()
  return text === 'kubernetes.io/h2c' || /^(?:http2|grpc)(?:-|$)/.test(text)
}

/** Every service by its key. */
export type Services = ReadonlyMap<string, Service>

/** The port a destination is reached at and whether it speaks HTTP/2; the one port of a service need not be named. */
export function portAt(
  services: Services,
  { host, port, namespace }: { readonly host: string; readonly port: number | undefined; readonly namespace: string },
): { readonly port: number | undefined; readonly isHttp2: boolean } {
  const known = services.size === 0 ? undefined : services.get(serviceKey(host, namespace))
  if (!known) return { port, isHttp2: false }
  const found =
    port === undefined && known.ports.length === 1 ? known.ports[0] : known.ports.find((one) => one.number === port)
  return { port: port ?? found?.number, isHttp2: found?.isHttp2 ?? false }
}

/** `app`, `app.apps`, `app.apps.svc` and `app.apps.svc.cluster.local` are one service. */
function serviceKey(host: string, namespace: string): string {
  const [name = '', second, third] = host.split('.')
  if (second === undefined) return `${name}.${namespace}`
  return third === undefined || third === 'svc' ? `${name}.${second}` : host
}
