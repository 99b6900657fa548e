import { placeBelow } from '../places.ts'
import type { Rule } from '../rule.ts'

const authentication = (jwksUri: string) => `apiVersion: security.istio.io/v1
kind: RequestAuthentication
metadata: {name: dex-jwt, namespace: istio-system}
spec:
  jwtRules:
  - issuer: https://platform.example.com/dex
    jwksUri: ${jwksUri}/dex/keys
    audiences: [kubeflow]
`

/** Keys that istiod cannot fetch. */
export const jwksUnreachable: Rule = {
  id: 'jwks-unreachable',
  severity: 'warning',
  title: '`jwksUri` at an address that istiod cannot reach, or cannot trust',
  why: 'istiod fetches the keys from its own pod and trusts public certificates only: `localhost` is not your machine, and TLS inside the cluster is usually self-signed. Every token gets 401 `Jwt verification fails`.',
  remedy: 'Inside the cluster use `http://service.namespace.svc.cluster.local`, or put the keys into `jwks`.',
  isOfIstio: true,
  bad: { 'ra.yaml': authentication('https://dex.auth.svc.cluster.local:5556') },
  good: { 'ra.yaml': authentication('http://dex.auth.svc.cluster.local:5556') },
  find: (subject) =>
    subject.gateway.requestAuthentications
      .flatMap(({ jwtRules }) => jwtRules)
      .flatMap(({ place, issuer, jwksUri, jwks }) => {
        const url = URL.parse(jwksUri ?? issuer)
        if (!url || jwks !== undefined) return []
        const reason = unreachable(url)
        return reason === undefined
          ? []
          : {
              place: placeBelow(subject, place, [jwksUri === undefined ? 'issuer' : 'jwksUri']),
              message: `keys from \`${url.host}\`: ${reason}`,
              fix: 'name the Service inside the cluster, over http',
            }
      }),
}

function unreachable({ protocol, hostname }: URL): string | undefined {
  if (/^(?:localhost|127\..*|\[::1\])$/.test(hostname)) return 'for istiod that is its own pod'
  const isInCluster = /\.svc(?:\.cluster\.local)?$/.test(hostname) && !hostname.startsWith('kubernetes.default.')
  return protocol === 'https:' && isInCluster ? 'its certificate is hardly one that istiod trusts' : undefined
}
