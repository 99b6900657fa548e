import { conditionsOf } from '../conditions.ts'
import type { Edit } from '../edit.ts'
import { listedValues, parsePath, placeIn, valueAtPath } from '../places.ts'
import type { Found, Rule } from '../rule.ts'
import type { Subject } from '../subject.ts'

const pair = (custom: string, deny: string) => `apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {name: ask-oauth2-proxy, namespace: istio-system}
spec:
  action: CUSTOM
  provider: {name: oauth2-proxy}
  rules:
  - to:
    - operation:
        notPaths: [${custom}]
---
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {name: require-jwt, namespace: istio-system}
spec:
  action: DENY
  rules:
  - from:
    - source: {notRequestPrincipals: ["*"]}
    to:
    - operation:
        notPaths: [${deny}]
`

/** A path that only one of the two policies exempts. */
export const exemptInOneList: Rule = {
  id: 'exempt-in-one-list',
  severity: 'warning',
  title: 'a path in only one of the two `notPaths` lists',
  why: 'Exempt in CUSTOM only: the page answers 403 `RBAC: access denied`, without a login. Exempt in DENY only: an app that signs its users in by itself first sends them to the platform’s login.',
  remedy:
    'Write the path into both lists where anyone may open it without a login, else into neither. `--fix` does so for the parts of the chain only.',
  bad: { 'policies.yaml': pair('/dex/*, /oauth2/*', '/dex/*') },
  good: { 'policies.yaml': pair('/dex/*, /oauth2/*', '/dex/*, /oauth2/*') },
  edits: addToOtherLists,
}

/** The parts of a chain are for people who are not signed in yet; whether an app is, too, only its owner knows. */
const isPart = (path: string): boolean => /^\/(?:dex|oauth2|auth|authservice)\/\*$/.test(path)

function addToOtherLists({ place }: Found, subject: Subject): Edit[] {
  const path = parsePath(place.path)
  const document = subject.istio.find((one) => {
    const { file, line, column } = placeIn(one, path)
    return file === place.file && line === place.line && column === place.column
  })
  const value = document && valueAtPath(document.value, path)
  const own = document && valueAtPath(document.value, path.slice(0, -1))
  const action = document && valueAtPath(document.value, ['spec', 'action'])
  if (typeof value !== 'string' || !isPart(value) || !Array.isArray(own)) return []
  return conditionsOf(subject)
    .filter(({ condition, policy }) => condition.field === 'notPaths' && isOther(policy.action, action))
    .filter(({ condition: { values } }) => !values.includes(value) && values.some((one) => own.includes(one)))
    .flatMap(({ policy, condition }) => {
      const last = listedValues(subject, policy, condition).at(-1)
      return last ? [{ kind: 'add-item', place: last.place, after: last.value, item: value } as const] : []
    })
}

const isOther = (action: string, than: unknown): boolean =>
  than === 'CUSTOM' ? action === 'DENY' : than === 'DENY' && action === 'CUSTOM'
