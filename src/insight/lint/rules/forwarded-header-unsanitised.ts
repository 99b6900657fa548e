import { valuePlaceOfProvider } from '../provider-places.ts'
import type { Rule } from '../rule.ts'

const mesh = (headers: string) => `extensionProviders:
- name: oauth2-proxy
  envoyExtAuthzHttp:
    service: oauth2-proxy.oauth2-proxy.svc.cluster.local
    port: 80
    includeRequestHeadersInCheck: [authorization, cookie]
    headersToUpstreamOnAllow: [${headers}]
`
const authentication = `apiVersion: security.istio.io/v1
kind: RequestAuthentication
metadata: {name: dex-jwt, namespace: istio-system}
spec:
  jwtRules:
  - issuer: https://platform.example.com/dex
    audiences: [kubeflow]
    outputClaimToHeaders:
    - {header: kubeflow-userid, claim: email}
`

/** Headers of oauth2-proxy's answer that a client may set itself. */
export const forwardedHeaderUnsanitised: Rule = {
  id: 'forwarded-header-unsanitised',
  severity: 'warning',
  title: '`X-Auth-Request-*` is handed to apps, but not removed from requests',
  why: 'With any `Authorization` header the provider is not asked, so it sets nothing, and the client’s own `X-Auth-Request-Email: boss@example.com` reaches the app. An app that trusts it is spoofed.',
  remedy: 'Hand on `authorization` only and let a RequestAuthentication make the identity headers.',
  isOfIstio: true,
  bad: { 'mesh.yaml': mesh('authorization, x-auth-request-email'), 'ra.yaml': authentication },
  good: { 'mesh.yaml': mesh('authorization'), 'ra.yaml': authentication },
  find: (subject) => {
    const rules = subject.gateway.requestAuthentications.flatMap(({ jwtRules }) => jwtRules)
    const named = new Set(rules.flatMap((rule) => rule.outputClaimToHeaders.map(({ header }) => header)))
    return subject.gateway.meshConfig.extensionProviders.flatMap((provider) =>
      (provider.headersToUpstreamOnAllow ?? [])
        .filter((header) => /^x-(?:auth-request|forwarded)-(?:email|user|groups|preferred-username)$/i.test(header))
        .filter((header) => !named.has(header.toLowerCase()))
        .flatMap((header) => {
          const place = valuePlaceOfProvider(subject, { provider, list: 'headersToUpstreamOnAllow', value: header })
          return place
            ? { place, message: `a request with a token of its own brings its own \`${header}\``, fix: 'remove it' }
            : []
        }),
    )
  },
}
