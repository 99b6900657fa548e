import { placeBelow } from '../places.ts'
import type { Rule } from '../rule.ts'

const authentication = (claim: string) => `apiVersion: security.istio.io/v1
kind: RequestAuthentication
metadata: {name: dex-jwt, namespace: istio-system}
spec:
  jwtRules:
  - issuer: https://platform.example.com/dex
    audiences: [kubeflow]
    outputClaimToHeaders:
    - {header: x-team, claim: ${claim}}
`

const lists: ReadonlySet<string> = new Set(['groups', 'roles', 'aud', 'amr', 'realm_access.roles', 'realm_access'])

/** A list told by a header. */
export const arrayClaimToHeader: Rule = {
  id: 'array-claim-to-header',
  severity: 'note',
  title: 'a claim that is a list, told by a header',
  why: 'Before Istio 1.21 the header is absent, since then it is the base64 of a JSON list. An app or policy that looks for the name of a group in it finds none: its users see no namespaces.',
  remedy: 'Decode the header in the app; in a policy ask for `request.auth.claims[groups]` at the gateway instead.',
  isOfIstio: true,
  bad: { 'ra.yaml': authentication('groups') },
  good: { 'ra.yaml': authentication('team') },
  find: (subject) =>
    subject.gateway.requestAuthentications
      .flatMap(({ jwtRules }) => jwtRules)
      .flatMap(({ place, outputClaimToHeaders }) =>
        outputClaimToHeaders
          .map((output, index) => ({ ...output, place: placeBelow(subject, place, ['outputClaimToHeaders', index]) }))
          .filter(({ claim }) => lists.has(claim) || claim.endsWith('.roles'))
          .map(({ header, claim, place: own }) => ({
            place: own,
            message: `\`${header}\` will be the base64 of a JSON list, as \`${claim}\` is one`,
            fix: 'see that whoever reads it decodes it',
          })),
      ),
}
