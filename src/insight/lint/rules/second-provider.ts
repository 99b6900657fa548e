import { isAtGateway } from '../conditions.ts'
import { placeBelow, seenAt } from '../places.ts'
import type { Rule } from '../rule.ts'

const policy = (name: string, provider: string) => `apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {name: ${name}, namespace: istio-system}
spec:
  action: CUSTOM
  provider: {name: ${provider}}
  rules:
  - to:
    - operation: {paths: ["/${name}/*"]}
`

/** Two providers at one workload. */
export const secondProvider: Rule = {
  id: 'second-provider',
  severity: 'error',
  title: 'a second CUSTOM provider for the same workload',
  why: 'Istio asks one provider per workload unless istiod is told otherwise (PILOT_ENABLE_MULTIPLE_CUSTOM_AUTHZ_PROVIDERS): the CUSTOM rules of both become a DENY, and the pages of both answer 403.',
  remedy: 'Use one provider for the gateway, or set that variable on istiod; then all that match must allow.',
  isOfIstio: true,
  bad: { 'policies.yaml': `${policy('apps', 'oauth2-proxy')}---\n${policy('tools', 'opa')}` },
  good: { 'policies.yaml': `${policy('apps', 'oauth2-proxy')}---\n${policy('tools', 'oauth2-proxy')}` },
  find: (subject) => {
    const { gateway, variables } = subject
    const isAllowed = variables.some(
      ({ name, value }) => name === 'PILOT_ENABLE_MULTIPLE_CUSTOM_AUTHZ_PROVIDERS' && value === 'true',
    )
    const [first, ...others] = gateway.authorizationPolicies.filter(
      (one) => one.action === 'CUSTOM' && isAtGateway(gateway, one),
    )
    if (!first || isAllowed) return []
    return others
      .filter(({ provider }) => provider !== first.provider)
      .map(({ place, provider }) => ({
        place: placeBelow(subject, place, ['spec', 'provider']),
        message: `asks \`${provider}\`, while \`${first.name}\`${seenAt(first.place)} asks \`${first.provider}\`: both are denied`,
        fix: 'use one provider, or allow several on istiod',
      }))
  },
}
