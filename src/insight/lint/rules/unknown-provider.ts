import type { Rule } from '../rule.ts'

const files = (provider: string) => ({
  'mesh.yaml': `extensionProviders:
- name: oauth2-proxy
  envoyExtAuthzHttp:
    service: oauth2-proxy.oauth2-proxy.svc.cluster.local
    port: 80
    includeRequestHeadersInCheck: [authorization, cookie]
    headersToUpstreamOnAllow: [authorization]
`,
  'policy.yaml': `apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {name: sign-in, namespace: istio-system}
spec:
  action: CUSTOM
  provider: {name: ${provider}}
  rules: [{}]
`,
})

/** A CUSTOM policy whose provider MeshConfig does not define. */
export const unknownProvider: Rule = {
  id: 'unknown-provider',
  severity: 'error',
  title: 'a CUSTOM policy asks a provider that MeshConfig does not define',
  why: 'Istio turns the rules into a DENY: every page answers 403 `RBAC: access denied`, nobody sees a login.',
  remedy: 'Define the provider under `extensionProviders` of MeshConfig, under the same name.',
  bad: files('oauth2proxy'),
  good: files('oauth2-proxy'),
  isAbout: ({ gateway }) => gateway.meshConfig.extensionProviders.length > 0,
  told: /^nobody can ask the provider /,
}
