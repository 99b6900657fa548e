import { conditionsOf } from '../conditions.ts'
import { placeOf, seenAt } from '../places.ts'
import type { Rule } from '../rule.ts'

const files = (header: string) => `apiVersion: security.istio.io/v1
kind: RequestAuthentication
metadata: {name: dex-jwt, namespace: istio-system}
spec:
  jwtRules:
  - issuer: https://platform.example.com/dex
    audiences: [kubeflow]
    outputClaimToHeaders:
    - {header: ${header}, claim: email}
---
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {name: owner, namespace: team}
spec:
  rules:
  - when:
    - key: request.headers[kubeflow-userid]
      values: [ada@example.com]
`

const identityHeader = /^request\.headers\[(.*(?:user|group|email|remote-).*)\]$/i

/** A header that policies believe and nobody sets. */
export const identityHeaderUnsanitised: Rule = {
  id: 'identity-header-unsanitised',
  severity: 'error',
  title: 'policies or apps (`USERID_HEADER`) trust an identity header that no RequestAuthentication names',
  why: 'Only the headers a RequestAuthentication names are removed from what the client sends. Anyone signed in can send this one, and is whoever they say they are.',
  remedy: 'Name the header in `outputClaimToHeaders`, with the claim that it stands for.',
  isOfIstio: true,
  bad: { 'files.yaml': files('x-user') },
  good: { 'files.yaml': files('kubeflow-userid') },
  find: (subject) => {
    const rules = subject.gateway.requestAuthentications.flatMap(({ jwtRules }) => jwtRules)
    const [first] = rules
    if (!first) return []
    const named = new Set(rules.flatMap((rule) => rule.outputClaimToHeaders.map(({ header }) => header)))
    const believedBy = `no RequestAuthentication${seenAt(first.place)} sets it`
    const byApps = subject.variables
      .filter(
        ({ name, value }) => /^(?:KUBEFLOW_)?USERID_HEADER$/.test(name) && !named.has(String(value).toLowerCase()),
      )
      .map((written) => ({
        place: placeOf(written),
        message: `apps believe \`${String(written.value)}\`, but ${believedBy}`,
        fix: `add \`{header: ${String(written.value)}, claim: …}\` to outputClaimToHeaders`,
      }))
    const byPolicies = conditionsOf(subject).flatMap(({ condition: { field, place } }) => {
      const header = identityHeader.exec(field)?.[1]?.toLowerCase()
      if (header === undefined || named.has(header)) return []
      return {
        place,
        message: `\`${header}\` is believed here, but ${believedBy}`,
        fix: `add \`{header: ${header}, claim: …}\` to outputClaimToHeaders`,
      }
    })
    return [...byPolicies, ...byApps]
  },
}
