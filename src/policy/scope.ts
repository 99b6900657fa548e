import type { Reader } from './reader.ts'

/** The gateway's own pod, as policies select it. */
export interface Workload {
  readonly namespace: string
  readonly labels: Readonly<Record<string, string>>
}

/** Which workloads of its namespace (or, in the root namespace, of the mesh) a policy is for. */
export type Scope =
  | { readonly kind: 'all' }
  | { readonly kind: 'labels'; readonly labels: Readonly<Record<string, string>> }
  | { readonly kind: 'targets'; readonly targets: readonly TargetReference[] }

export interface TargetReference {
  readonly group: string
  readonly kind: string
  readonly name: string
}

/** Where a policy stands and whom it selects. */
export interface Scoped {
  readonly namespace: string
  readonly scope: Scope
}

const gatewayName = 'gateway.networking.k8s.io/gateway-name'
const gatewayClassName = 'gateway.networking.k8s.io/gateway-class-name'

/**
 * Whether a policy applies: it stands in the workload's namespace or in the root namespace, and selects the workload.
 * `targetRefs` reach only gateways of the Gateway API, which their label tells (Istio pilot/pkg/model/policyattachment).
 */
export function appliesTo({ namespace, scope }: Scoped, workload: Workload, rootNamespace: string): boolean {
  if (namespace !== workload.namespace && namespace !== rootNamespace) return false
  if (scope.kind === 'all') return true
  if (scope.kind === 'labels') {
    return Object.entries(scope.labels).every(([name, value]) => workload.labels[name] === value)
  }
  return scope.targets.some(({ group, kind, name }) => {
    if (group !== 'gateway.networking.k8s.io' || workload.labels[gatewayName] === undefined) return false
    if (kind === 'GatewayClass') return namespace === rootNamespace && workload.labels[gatewayClassName] === name
    return kind === 'Gateway' && namespace === workload.namespace && workload.labels[gatewayName] === name
  })
}

/** Reads `selector`, `targetRef` and `targetRefs` of a spec; at most one of them may be there. */
export function parseScope(spec: Reader): Scope {
  const selector = spec.field('selector')
  const targetRef = spec.field('targetRef')
  const targetRefs = spec.field('targetRefs')
  const given = [selector, targetRef, targetRefs].filter((reader) => reader.isPresent)
  if (given.length > 1) given.at(-1)?.error('only one of `selector`, `targetRef` and `targetRefs` may be set')
  const references = targetRef.isPresent ? [targetRef] : targetRefs.items()
  if (references.length > 0) return { kind: 'targets', targets: references.map(parseTarget) }
  selector.refuseUnknown(['matchLabels'])
  const labels = selector.field('matchLabels')
  const pairs = labels.names().map((name) => [name, labels.field(name).text() ?? ''] as const)
  return pairs.length === 0 ? { kind: 'all' } : { kind: 'labels', labels: Object.fromEntries(pairs) }
}

function parseTarget(reference: Reader): TargetReference {
  reference.refuseUnknown(['group', 'kind', 'name', 'namespace'])
  const [group = '', kind = '', name = ''] = ['group', 'kind', 'name'].map((field) => reference.field(field).text())
  if (name === '' || kind === '') reference.error('a target needs `kind` and `name`')
  return { group, kind, name }
}
