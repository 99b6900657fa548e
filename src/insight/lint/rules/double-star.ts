import { conditionsOf, isAboutPaths } from '../conditions.ts'
import type { Edit } from '../edit.ts'
import { listedValues } from '../places.ts'
import type { Found, Rule } from '../rule.ts'
import type { Subject } from '../subject.ts'

const policy = (paths: string) => `apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {name: admin-only, namespace: istio-system}
spec:
  action: DENY
  rules:
  - from:
    - source: {notRequestPrincipals: ["*"]}
    to:
    - operation:
        notPaths:
        - /healthz
${paths}`

/** `/dex/**`, which is the prefix `/dex/*` with a literal star. */
export const doubleStar: Rule = {
  id: 'double-star',
  severity: 'warning',
  title: '`**` in a path, which means nothing to Istio',
  why: 'Only one star has a meaning: `/app/**` is the text `/app/*` and whatever follows, which no browser asks for. Beside `/app/*` it is dead weight; alone, the path is not matched at all and its users get 403.',
  remedy: 'Write `/app/*`; a path template with any depth is `/app/{**}`.',
  bad: { 'policy.yaml': policy('        - /app/**\n') },
  good: { 'policy.yaml': policy('        - /app/*\n') },
  find: (subject) =>
    doubleStars(subject).map(({ place, value, isDead }) => ({
      place,
      message: isDead
        ? `\`${value}\` adds nothing to \`${single(value)}\` beside it`
        : `\`${value}\` matches no more than paths with a literal \`*\``,
      fix: isDead ? 'remove it' : `write \`${single(value)}\``,
    })),
  edits: mendDoubleStar,
}

const single = (value: string): string => value.replace(/\*\*+$/, '*').replace(/^\*\*+/, '*')

function doubleStars(subject: Subject) {
  return conditionsOf(subject)
    .filter(({ condition }) => isAboutPaths(condition))
    .flatMap(({ policy: resource, condition }) =>
      listedValues(subject, resource, condition)
        .filter(({ value }) => /^\*\*|\*\*$/.test(value))
        .map((listed) => ({ ...listed, isDead: condition.values.includes(single(listed.value)) })),
    )
}

function mendDoubleStar({ place }: Found, subject: Subject): Edit[] {
  const found = doubleStars(subject).find((one) => one.place.line === place.line && one.place.column === place.column)
  if (found?.place.file !== place.file) return []
  const { value, isDead } = found
  return [
    isDead ? { kind: 'remove-item', place, item: value } : { kind: 'replace', place, from: value, to: single(value) },
  ]
}
