import { conditionsOf, requestOf } from '../conditions.ts'
import { listedValues } from '../places.ts'
import type { Found, Rule } from '../rule.ts'
import type { Subject } from '../subject.ts'

const policy = (path: string) => `apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {name: require-jwt, namespace: istio-system}
spec:
  action: DENY
  rules:
  - from:
    - source: {notRequestPrincipals: ["*"]}
    to:
    - operation:
        notPaths:
        - ${path}
`

/** `/dex*` also frees `/dexter`. */
export const exemptionWithoutSlash: Rule = {
  id: 'exemption-without-slash',
  severity: 'warning',
  title: 'an exempted prefix that does not end with `/`',
  why: 'A prefix is plain text: `/dex*` also frees `/dexter` and `/dex-admin`. Whoever adds an app of such a name has put it on the internet without a login.',
  remedy: 'Write `/dex/*` (and `/dex` beside it, where the path itself is served), or the exact names of files.',
  bad: { 'policy.yaml': policy('/dex*') },
  good: { 'policy.yaml': policy('/dex/*') },
  find: (subject) =>
    exemptions(subject).map(({ value, place, freed }) => ({
      place,
      message: `\`${value}\` also exempts \`${freed}\``,
      fix: `write \`${withSlash(value)}\``,
    })),
  /** Only where everything of that name is served below it: the parts of a chain. */
  edits: ({ place }: Found, subject) =>
    exemptions(subject)
      .filter((one) => one.place.file === place.file && one.place.line === place.line)
      .filter((one) => one.place.column === place.column && isPart(one.value))
      .map(({ value }) => ({ kind: 'replace', place, from: value, to: withSlash(value) })),
}

const withSlash = (value: string): string => `${value.slice(0, -1)}/*`
const isPart = (value: string): boolean => ['/dex*', '/oauth2*', '/auth*', '/authservice*'].includes(value)

function exemptions(subject: Subject) {
  return conditionsOf(subject)
    .filter(({ condition, policy: { action } }) => condition.field === 'notPaths' && action !== 'ALLOW')
    .flatMap(({ policy: resource, condition }) =>
      listedValues(subject, resource, condition)
        .filter(({ value }) => /^\/[^?#]*[^/*?#]\*$/.test(value))
        .map((listed) => ({ ...listed, freed: `${listed.value.slice(0, -1)}ter` }))
        .filter(({ freed }) => condition.test(requestOf({ path: freed }))),
    )
}
