import type { AuthorizationPolicy, Condition, Rule } from '../../policy/authorization-policy.ts'
import type { RequestFacts } from '../../policy/facts.ts'
import { type PolicySet, selectPolicies } from '../../policy/policy-set.ts'
import { appliesTo } from '../../policy/scope.ts'
import type { Subject } from './subject.ts'

/** A condition with the rule and the policy it stands in. */
export interface PlacedCondition {
  readonly policy: AuthorizationPolicy
  readonly rule: Rule
  readonly condition: Condition
}

/** Every condition of every policy. */
export function conditionsOf({ gateway }: Pick<Subject, 'gateway'>): PlacedCondition[] {
  return gateway.authorizationPolicies.flatMap((policy) =>
    policy.rules.flatMap((rule) => conditionsOfRule(rule).map((condition) => ({ policy, rule, condition }))),
  )
}

/** Every condition of a rule. */
export function conditionsOfRule({ sources, operations, when }: Rule): Condition[] {
  return [
    ...sources.flatMap(({ conditions }) => conditions),
    ...operations.flatMap(({ conditions }) => conditions),
    ...when,
  ]
}

/** Whether a condition is about paths. */
export function isAboutPaths({ field }: Condition): boolean {
  return field === 'paths' || field === 'notPaths'
}

/** Whether a condition of this field needs a verified token. */
export function isOfToken(field: string): boolean {
  return /^(?:notR|r)equestPrincipals$/.test(field) || field.startsWith('request.auth.')
}

/** Whether a policy is enforced at the gateway. */
export function isAtGateway({ workload, meshConfig }: Subject['gateway'], policy: AuthorizationPolicy): boolean {
  return appliesTo(policy, workload, meshConfig.rootNamespace)
}

/** The policies in force at the gateway, every provider known. */
export function policiesAtGateway({ gateway }: Pick<Subject, 'gateway'>): PolicySet {
  const { authorizationPolicies, workload, meshConfig } = gateway
  const providers = new Set(authorizationPolicies.flatMap(({ provider }) => provider ?? []))
  const { rootNamespace } = meshConfig
  return selectPolicies(authorizationPolicies, { workload, rootNamespace, providers, allowsSeveralProviders: true })
}

/** A request to judge: a `GET /` of nobody from the internet, but for what is said. Header names in lower case, of a repeated one its lines. */
export function requestOf({
  headers = {},
  ...said
}: Partial<Omit<RequestFacts, 'header' | 'headerLines'>> & {
  readonly headers?: Readonly<Record<string, string | readonly string[]>>
}): RequestFacts {
  return {
    method: 'GET',
    path: '/',
    query: '',
    host: 'platform.example.com',
    peerAddress: '203.0.113.7',
    clientAddress: '203.0.113.7',
    localAddress: '10.0.0.1',
    localPort: 8080,
    serverName: undefined,
    claims: undefined,
    ...said,
    header: (name) => (headers[name] === undefined ? undefined : [headers[name]].flat().join(',')),
    headerLines: (name) => [headers[name] ?? []].flat(),
  }
}
