import type { Example } from './rule.ts'

/** What the files of an example chain say differently. */
interface Differences {
  readonly issuer?: string
  readonly proxyIssuer?: string
  readonly clientId?: string
  readonly secret?: string
  readonly redirectUri?: string
  readonly scope?: string
  readonly gatewayIssuer?: string
}

/** Dex, oauth2-proxy and the gateway's token verification of one platform, in as few lines as they allow. */
export function chainExample({
  issuer = 'https://platform.example.com/dex',
  proxyIssuer = issuer,
  clientId = 'kubeflow',
  secret = 'secret-of-the-client',
  redirectUri = '/oauth2/callback',
  scope = 'openid email groups',
  gatewayIssuer,
}: Differences): Example {
  return {
    'dex.yaml': `issuer: ${issuer}
storage: {type: memory}
web: {http: 0.0.0.0:5556}
enablePasswordDB: true
staticClients:
- {id: kubeflow, name: Kubeflow, secret: secret-of-the-client, redirectURIs: [/oauth2/callback]}
`,
    'oauth2_proxy.cfg': `provider = "oidc"
oidc_issuer_url = "${proxyIssuer}"
client_id = "${clientId}"
client_secret = "${secret}"
redirect_url = "${redirectUri}"
relative_redirect_url = true
scope = "${scope}"
email_domains = "*"
set_authorization_header = true
cookie_expire = "24h"
`,
    ...(gatewayIssuer === undefined
      ? {}
      : {
          'ra.yaml': `apiVersion: security.istio.io/v1
kind: RequestAuthentication
metadata: {name: dex-jwt, namespace: istio-system}
spec:
  jwtRules:
  - issuer: ${gatewayIssuer}
    audiences: [kubeflow]
    outputClaimToHeaders:
    - {header: kubeflow-userid, claim: email}
    - {header: kubeflow-groups, claim: groups}
`,
        }),
  }
}
