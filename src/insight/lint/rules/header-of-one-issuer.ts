import type { Place } from '../../../policy/reader.ts'
import { mergeJwtRules } from '../../../policy/request-authentication.ts'
import { placeBelow } from '../places.ts'
import type { Rule } from '../rule.ts'

const authentication = (output: string) => `apiVersion: security.istio.io/v1
kind: RequestAuthentication
metadata: {name: issuers, namespace: istio-system}
spec:
  jwtRules:
  - issuer: https://platform.example.com/dex
    audiences: [kubeflow]
    outputClaimToHeaders:
    - {header: kubeflow-userid, claim: email}
    - {header: kubeflow-groups, claim: groups}
  - issuer: https://kubernetes.default.svc.cluster.local
    audiences: [kubeflow]
    outputClaimToHeaders:
${output}    - {header: kubeflow-userid, claim: sub}
`

/** A header that one issuer's tokens set and another's leave to the client. */
export const headerOfOneIssuer: Rule = {
  id: 'header-of-one-issuer',
  severity: 'error',
  title: 'an output header named for one issuer but not for all',
  why: 'A header is removed from a request only by the rule that names it. Whoever has a token of the other issuer sends `kubeflow-groups: admins` beside it, and the app believes that.',
  remedy: 'Name the same headers in every jwtRule; a claim that the tokens lack leaves the header absent.',
  isOfIstio: true,
  bad: { 'ra.yaml': authentication('') },
  good: { 'ra.yaml': authentication('    - {header: kubeflow-groups, claim: groups}\n') },
  find: (subject) => {
    const { gateway } = subject
    const rules = mergeJwtRules(gateway.requestAuthentications, gateway.workload, gateway.meshConfig.rootNamespace)
    const headersOf = (rule: (typeof rules)[number]) => [
      ...rule.outputClaimToHeaders.map(({ header }) => header),
      ...(rule.outputPayloadToHeader === undefined ? [] : [rule.outputPayloadToHeader]),
    ]
    const all = [...new Set(rules.flatMap(headersOf))]
    return rules.flatMap((rule) => {
      const own = headersOf(rule)
      const missing = all.filter((header) => !own.includes(header))
      if (missing.length === 0) return []
      const names = missing.map((header) => `\`${header}\``).join(', ')
      return {
        place: placeBelow(subject, rule.place, ['outputClaimToHeaders']),
        message: `with a token of \`${rule.issuer}\` the client’s own ${names} reaches the apps`,
        fix: `name ${names} in outputClaimToHeaders here, too`,
      }
    })
  },
  edits: ({ place }, subject) => {
    const rules = subject.gateway.requestAuthentications.flatMap(({ jwtRules }) => jwtRules)
    const outputs = rules.flatMap(({ outputClaimToHeaders }) => outputClaimToHeaders)
    const rule = rules.find((one) => isSame(placeBelow(subject, one.place, ['outputClaimToHeaders']), place))
    if (!rule || rule.outputClaimToHeaders.length === 0) return []
    const missing = outputs.filter(
      ({ header }, index) =>
        !rule.outputClaimToHeaders.some((own) => own.header === header) &&
        outputs.findIndex((other) => other.header === header) === index,
    )
    return missing.map(({ header, claim }) => ({
      kind: 'insert-object',
      place: placeBelow(subject, rule.place, ['outputClaimToHeaders', 0]),
      object: `{header: ${header}, claim: ${claim}}`,
    }))
  },
}

const isSame = (one: Place, other: Place): boolean =>
  one.file === other.file && one.line === other.line && one.column === other.column
