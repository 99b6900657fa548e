import { namedSource, Problems } from '../../src/kit/problems.ts'
import { parseAuthorizationPolicy } from '../../src/policy/authorization-policy.ts'
import { decide, decideCustom, type Trace } from '../../src/policy/decide.ts'
import type { RequestFacts } from '../../src/policy/facts.ts'
import { type PolicySet, type SelectOptions, selectPolicies } from '../../src/policy/policy-set.ts'
import { Reader } from '../../src/policy/reader.ts'

/** A policy as an object: what its YAML says. */
export interface PolicySpec {
  readonly name?: string
  readonly namespace?: string
  readonly annotations?: Readonly<Record<string, string>>
  readonly [field: string]: unknown
}

export const gatewayWorkload = { namespace: 'istio-system', labels: { istio: 'ingressgateway' } }

/** Reads policies and picks those for the gateway; throws with every problem where one is wrong. */
export function policySet(specs: readonly PolicySpec[], options: Partial<SelectOptions> = {}): PolicySet {
  const problems = new Problems()
  const policies = specs.map(({ name = 'p', namespace = 'istio-system', annotations, ...spec }) =>
    parseAuthorizationPolicy(
      new Reader({ metadata: { name, namespace, annotations }, spec }, namedSource('policy.yaml'), problems),
      'istio-system',
    ),
  )
  problems.throwIfAny()
  return selectPolicies(policies, {
    workload: gatewayWorkload,
    rootNamespace: 'istio-system',
    providers: new Set(['auth']),
    allowsSeveralProviders: false,
    ...options,
  })
}

/** A request, `GET / ` from nowhere in particular unless told. */
export function facts({
  headers = {},
  ...given
}: Partial<Omit<RequestFacts, 'header'>> & { headers?: Readonly<Record<string, string>> } = {}): RequestFacts {
  return {
    method: 'GET',
    path: '/',
    query: '',
    host: 'platform.example.com',
    header: (name) => headers[name],
    peerAddress: '10.0.0.1',
    clientAddress: '10.0.0.1',
    localAddress: '10.9.9.9',
    localPort: 8080,
    serverName: undefined,
    claims: undefined,
    ...given,
  }
}

/** `ask`, `deny` or `allow`, all stages in order; providers are taken to allow. */
export function verdict(policies: PolicySet, request: RequestFacts, trace?: Trace): 'ask' | 'deny' | 'allow' {
  let isAsked = false
  for (const custom of policies.custom) {
    const decision = decideCustom(custom, request, trace)
    if (decision.kind === 'deny') return 'deny'
    isAsked ||= decision.kind === 'ask'
  }
  if (!decide(policies, request, trace).isAllowed) return 'deny'
  return isAsked ? 'ask' : 'allow'
}

/** The verdict on one request under one ALLOW rule. */
export function allows(rule: unknown, request: Parameters<typeof facts>[0] = {}): boolean {
  return verdict(policySet([{ rules: [rule] }]), facts(request)) === 'allow'
}
