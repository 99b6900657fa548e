import type { Rule } from '../rule.ts'

const authentication = (audiences: string) => `apiVersion: security.istio.io/v1
kind: RequestAuthentication
metadata: {name: dex-jwt, namespace: istio-system}
spec:
  jwtRules:
  - issuer: https://platform.example.com/dex
${audiences}    outputClaimToHeaders:
    - {header: kubeflow-userid, claim: email}
`

/** Tokens made for anybody are taken. */
export const noAudiences: Rule = {
  id: 'no-audiences',
  severity: 'note',
  title: 'a jwtRule without `audiences`',
  why: 'A token the issuer made for any other client signs its user in here. With the issuer of a Kubernetes cluster that is every mounted service account token.',
  remedy: 'List the client ids whose tokens are meant, e.g. that of oauth2-proxy.',
  bad: { 'ra.yaml': authentication('') },
  good: { 'ra.yaml': authentication('    audiences: [kubeflow-oidc-authservice]\n') },
  find: ({ gateway }) =>
    gateway.requestAuthentications
      .flatMap(({ jwtRules }) => jwtRules)
      .filter(({ audiences }) => audiences.length === 0)
      .map(({ place, issuer }) => ({
        place,
        message: `takes every token of \`${issuer}\`, whichever client it was made for`,
        fix: 'add `audiences`',
      })),
}
