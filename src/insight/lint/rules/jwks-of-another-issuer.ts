import { placeBelow } from '../places.ts'
import type { Rule } from '../rule.ts'

const authentication = (realm: string) => `apiVersion: security.istio.io/v1
kind: RequestAuthentication
metadata: {name: keycloak, namespace: istio-system}
spec:
  jwtRules:
  - issuer: https://id.example.com/realms/${realm}
    jwksUri: https://id.example.com/realms/team/protocol/openid-connect/certs
    audiences: [kubeflow]
`

/** Keys that are not those of the issuer. */
export const jwksOfAnotherIssuer: Rule = {
  id: 'jwks-of-another-issuer',
  severity: 'error',
  title: '`issuer` is not that of the discovery document its keys belong to',
  why: 'The `iss` of a token must equal `issuer` to the letter, a slash at the end included. Users sign in and then get 401 `Jwt issuer is not configured`, or `Jwt verification fails`.',
  remedy: 'Copy `issuer` from `/.well-known/openid-configuration` of the provider.',
  bad: { 'ra.yaml': authentication('teams') },
  good: { 'ra.yaml': authentication('team') },
  find: (subject) =>
    subject.gateway.requestAuthentications
      .flatMap(({ jwtRules }) => jwtRules)
      .flatMap(({ place, issuer, jwksUri }) => {
        const base = /^(.*?)(?:\/protocol\/openid-connect\/certs|\/keys)$/.exec(jwksUri ?? '')?.[1]
        if (base === undefined || issuer === '' || pathOf(base) === pathOf(issuer)) return []
        if (!base.includes('/realms/') && !base.endsWith('/dex')) return [] // another provider’s own layout
        return {
          place: placeBelow(subject, place, ['issuer']),
          message: `the keys are those of an issuer ending in \`${pathOf(base)}\`, not of \`${issuer}\``,
          fix: 'copy `issuer` from the discovery document of the provider',
        }
      }),
}

/** The hosts may differ: keys are often fetched inside the cluster. */
const pathOf = (url: string): string => url.replace(/^https?:\/\/[^/]*/, '')
