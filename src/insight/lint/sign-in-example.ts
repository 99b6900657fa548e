import { chainExample } from './chain-example.ts'
import type { Example } from './rule.ts'

/** What the files of an example gateway say differently. */
interface Differences {
  readonly toCheck?: string
  readonly toUpstream?: string
  readonly setsAuthorization?: boolean
  readonly asks?: boolean
}

const custom = `apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {name: sign-in, namespace: istio-system}
spec:
  action: CUSTOM
  provider: {name: oauth2-proxy}
  rules:
  - to:
    - operation: {notPaths: ["/dex/*", "/oauth2/*"]}
    when:
    - {key: "request.headers[authorization]", notValues: ["*"]}
---
`
const deny = `apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {name: require-jwt, namespace: istio-system}
spec:
  action: DENY
  rules:
  - from:
    - source: {notRequestPrincipals: ["*"]}
    to:
    - operation: {notPaths: ["/dex/*", "/oauth2/*"]}
`

/** A platform that asks people to sign in: the chain of `chainExample`, and the gateway that asks its proxy. */
export function signInExample({
  toCheck = 'authorization, cookie',
  toUpstream = 'authorization',
  setsAuthorization = true,
  asks = true,
}: Differences): Example {
  const { 'oauth2_proxy.cfg': proxy = '', ...others } = chainExample({
    gatewayIssuer: 'https://platform.example.com/dex',
  })
  return {
    ...others,
    'oauth2_proxy.cfg': proxy.replace('header = true', `header = ${setsAuthorization}`),
    'mesh.yaml': `extensionProviders:
- name: oauth2-proxy
  envoyExtAuthzHttp:
    service: oauth2-proxy.oauth2-proxy.svc.cluster.local
    port: 80
    includeRequestHeadersInCheck: [${toCheck}]
    headersToUpstreamOnAllow: [${toUpstream}]
`,
    'policies.yaml': `${asks ? custom : ''}${deny}`,
  }
}
