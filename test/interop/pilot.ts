import { spawnSync } from 'node:child_process'
import { type Enforced, resourcesOf } from '../corpus/read-corpus.ts'
import { goModuleVersion } from './programs.ts'

type Json = { readonly [name: string]: unknown }

/** What istiod's own code makes of some resources (`pilot/main.go`). */
export interface PilotAnswer {
  /** Of each resource in order, why it is not accepted; empty where it is. */
  readonly refusals: readonly string[]
  readonly warnings: readonly string[]
  readonly listeners?: readonly Json[]
  readonly routes?: readonly Json[]
  readonly clusters?: readonly Json[]
  readonly failure?: string
}

/** What is asked of it. */
export interface PilotQuestion {
  readonly mesh: Json
  readonly resources: readonly unknown[]
  readonly severalProviders?: boolean
  readonly onlyValidate?: boolean
}

/** Asks `gatehouse-pilot`. @throws with its words where it fails. */
export function askPilot(path: string, questions: readonly PilotQuestion[]): readonly PilotAnswer[] {
  const { status, stdout, stderr } = spawnSync(path, {
    input: JSON.stringify(questions),
    encoding: 'utf8',
    maxBuffer: 2 ** 30,
  })
  if (status !== 0) throw new Error(`${path} failed: ${stderr}`)
  return JSON.parse(stdout) as readonly PilotAnswer[] // our own program writes it
}

/** `v0.0.0-20260827124520-eed52ebb66ad`. */
export function istioVersion(path: string): string {
  return goModuleVersion(path, 'istio.io/istio') ?? 'unknown'
}

/** A group as istiod sees it in a cluster: its resources, the Gateway they are bound to and the services they name. */
export function questionOf(
  group: Enforced & { readonly severalProviders: boolean },
  listenerPort: number,
): PilotQuestion {
  const [first, ...rest] = resourcesOf(group, listenerPort) as readonly Json[]
  const documents = [first, ...rest].filter((one): one is Json => one !== undefined && one['kind'] !== undefined)
  const ported = documents.map((one) => (one['kind'] === 'Gateway' ? onPort(one, listenerPort) : one))
  const edge = documents.some(({ kind }) => kind === 'Gateway') ? [] : [edgeOn(listenerPort)]
  const resources = [...ported, ...edge]
  return {
    mesh: group.mesh,
    resources: [...resources, ...servicesOf([group.mesh, ...resources])],
    severalProviders: group.severalProviders,
  }
}

const gatewayGroup = 'networking.istio.io/v1'

function edgeOn(number: number): Json {
  return {
    apiVersion: gatewayGroup,
    kind: 'Gateway',
    metadata: { name: 'edge', namespace: 'istio-system' },
    spec: {
      selector: { istio: 'ingressgateway' },
      servers: [{ port: { number, name: 'http', protocol: 'HTTP' }, hosts: ['*'] }],
    },
  }
}

/** Every server of a table's Gateway listens where the gateway does. */
function onPort(gateway: Json, number: number): Json {
  const spec = gateway['spec'] as { servers: readonly Json[] } // a Gateway of our tables has them
  const servers = spec.servers.map((one, at) => ({ ...one, port: { number, name: `http-${at}`, protocol: 'HTTP' } }))
  return { ...gateway, spec: { ...spec, servers } }
}

/** A ServiceEntry for every service that is named somewhere. */
function servicesOf(documents: readonly unknown[]): readonly Json[] {
  const text = JSON.stringify(documents)
  const named = [...text.matchAll(/"(?:host|service)":"(?:[\w-]+\/)?([\w.-]+)"/g)].map(([, host = '']) => host)
  const hosts = new Set(named.map((host) => (host.includes('.') ? host : `${host}.apps.svc.cluster.local`)))
  return [...hosts].map((name) => {
    const ports = ['80', '8000', '9000'].map((number) => ({
      number: Number(number),
      name: `${number === '9000' ? 'grpc' : 'http'}-${number}`,
      protocol: number === '9000' ? 'GRPC' : 'HTTP',
    }))
    return {
      apiVersion: gatewayGroup,
      kind: 'ServiceEntry',
      metadata: { name: name.replaceAll('.', '-'), namespace: 'istio-system' },
      spec: { hosts: [name], ports, resolution: 'STATIC', endpoints: [{ address: '127.0.0.1' }] },
    }
  })
}
