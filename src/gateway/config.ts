import { nearestName, type Problems, type SourceDocument } from '../kit/problems.ts'
import { type AuthorizationPolicy, parseAuthorizationPolicy } from '../policy/authorization-policy.ts'
import { Reader } from '../policy/reader.ts'
import { parseRequestAuthentication, type RequestAuthentication } from '../policy/request-authentication.ts'
import { appliesTo, type Workload } from '../policy/scope.ts'
import { followDelegates } from './delegates.ts'
import type { GatewayMode } from './gateway-mode.ts'
import { type Ingress, parseIngress } from './ingress.ts'
import { defaultMeshConfig, type MeshConfig, parseMeshConfig } from './mesh-config.ts'
import { parseVirtualService } from './parse-virtual-service.ts'
import { parseService, parseServiceEntry, type Service } from './services.ts'
import type { VirtualService } from './virtual-service.ts'

/** Everything the gateway runs on, read from Istio resources. */
export interface GatewayConfig {
  /** The pod policies select: this gateway. */
  readonly workload: Workload
  readonly meshConfig: MeshConfig
  readonly ingresses: readonly Ingress[]
  readonly virtualServices: readonly VirtualService[]
  readonly requestAuthentications: readonly RequestAuthentication[]
  readonly authorizationPolicies: readonly AuthorizationPolicy[]
  /** Services a file describes; routes lead to others as well. */
  readonly services: readonly Service[]
}

/** How Istio resources are read. */
export interface ParseOptions {
  /** In `istio` mode some things Istio lives with are warnings only. */
  readonly mode?: GatewayMode
  /** What the gateway is to selectors; the default is Istio's ingress gateway in `istio-system`. */
  readonly workload?: Workload
  /** Names of providers which run in this process and so need no `extensionProviders` entry. */
  readonly providers?: readonly string[]
}

/** Istio's own ingress gateway, which Kubeflow's policies select. */
export const ingressGateway: Workload = {
  namespace: 'istio-system',
  labels: { app: 'istio-ingressgateway', istio: 'ingressgateway' },
}

/**
 * Reads Istio resources: AuthorizationPolicy, RequestAuthentication, VirtualService, Gateway, and MeshConfig as a plain
 * document or inside an IstioOperator. Every mistake is reported at its line; with an error among them the result must
 * not be run.
 */
export function parseGatewayConfig(
  documents: readonly SourceDocument[],
  problems: Problems,
  { mode = 'native', workload = ingressGateway, providers = [] }: ParseOptions = {},
): GatewayConfig {
  const found = {
    ingresses: [] as Ingress[],
    virtualServices: [] as VirtualService[],
    requestAuthentications: [] as RequestAuthentication[],
    authorizationPolicies: [] as AuthorizationPolicy[],
    services: [] as Service[],
  }
  let meshConfig = defaultMeshConfig
  for (const { value, source } of documents) {
    const document = new Reader(value, source, problems)
    const meshDocument = meshOf(document)
    if (meshDocument) meshConfig = parseMeshConfig(meshDocument, meshConfig)
    else readResource(document, found, workload.namespace)
  }
  const virtualServices = followDelegates(found.virtualServices, problems)
  const config = { workload, meshConfig, ...found, virtualServices }
  reportUnused(config, problems)
  reportUnknownProviders(config, problems, { mode, inProcess: providers })
  return config
}

/** Members that tell a MeshConfig from other documents without a `kind`. */
const meshMembers = ['extensionProviders', 'pathNormalization', 'rootNamespace', 'trustDomain', 'defaultConfig']

/** The MeshConfig a document is or holds. */
function meshOf(document: Reader): Reader | undefined {
  const kind = document.field('kind').value
  if (kind === 'IstioOperator') return document.field('spec').field('meshConfig')
  if (kind !== undefined && kind !== 'MeshConfig') return undefined
  return meshMembers.some((name) => document.field(name).isPresent) ? document : undefined
}

function readResource(
  document: Reader,
  found: {
    ingresses: Ingress[]
    virtualServices: VirtualService[]
    requestAuthentications: RequestAuthentication[]
    authorizationPolicies: AuthorizationPolicy[]
    services: Service[]
  },
  namespace: string,
): void {
  const group = String(document.field('apiVersion').value).split('/')[0]
  const kind = document.field('kind').value
  if (typeof kind !== 'string') {
    document.warn('not a resource this gateway reads: it has no `kind`')
    return
  }
  switch (`${group}/${kind}`) {
    case 'security.istio.io/AuthorizationPolicy':
      found.authorizationPolicies.push(parseAuthorizationPolicy(document, namespace))
      return
    case 'security.istio.io/RequestAuthentication':
      found.requestAuthentications.push(parseRequestAuthentication(document, namespace))
      return
    case 'networking.istio.io/VirtualService':
      found.virtualServices.push(parseVirtualService(document, namespace))
      return
    case 'networking.istio.io/Gateway':
      found.ingresses.push(parseIngress(document, namespace))
      return
    case 'networking.istio.io/ServiceEntry':
      found.services.push(...parseServiceEntry(document, namespace))
      return
    case 'v1/Service':
      found.services.push(parseService(document, namespace))
      return
    default:
      document.field('kind').warn(`\`${kind}\` of \`${group}\` has no effect on this gateway`)
  }
}

/** Names policies that select another workload: right in a mesh, surprising when this gateway is all there is. */
function reportUnused(config: GatewayConfig, problems: Problems): void {
  const { workload, meshConfig } = config
  for (const policy of [...config.authorizationPolicies, ...config.requestAuthentications]) {
    if (appliesTo(policy, workload, meshConfig.rootNamespace)) continue
    problems.list.push({
      severity: 'warning',
      ...policy.place,
      message: `\`${policy.namespace}/${policy.name}\` is for other workloads than this gateway, so it is not enforced here`,
    })
  }
}

/**
 * A CUSTOM policy whose provider nobody can ask. Istio turns its rules into a DENY, so `istio` mode warns; natively it
 * must not load.
 */
function reportUnknownProviders(
  config: GatewayConfig,
  problems: Problems,
  { mode, inProcess }: { mode: GatewayMode; inProcess: readonly string[] },
): void {
  const known = [...inProcess, ...config.meshConfig.extensionProviders.map(({ name }) => name)]
  for (const policy of config.authorizationPolicies) {
    if (policy.provider === undefined || policy.action !== 'CUSTOM' || known.includes(policy.provider)) continue
    if (!appliesTo(policy, config.workload, config.meshConfig.rootNamespace)) continue
    const near = nearestName(policy.provider, known)
    problems.list.push({
      severity: mode === 'istio' ? 'warning' : 'error',
      ...policy.place,
      message: `nobody can ask the provider \`${policy.provider}\`, so every request its rules match would be denied`,
      fix:
        near === undefined
          ? `add it to MeshConfig \`extensionProviders\` (known: ${known.join(', ') || 'none'})`
          : `did you mean \`${near}\`?`,
    })
  }
}
