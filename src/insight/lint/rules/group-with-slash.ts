import type { Place } from '../../../policy/reader.ts'
import { conditionsOf } from '../conditions.ts'
import { listedValues, placeIn, placeOf, seenAt, valueAtPath } from '../places.ts'
import type { Rule } from '../rule.ts'
import type { Subject } from '../subject.ts'

const files = (fullPath: boolean) => ({
  'realm.json': `{
  "realm": "team",
  "clients": [
    {"clientId": "kubeflow", "redirectUris": ["https://platform.example.com/*"],
      "protocolMappers": [{
        "name": "groups", "protocol": "openid-connect", "protocolMapper": "oidc-group-membership-mapper",
        "config": {"claim.name": "groups", "full.path": "${fullPath}", "id.token.claim": "true"}
      }]}
  ]
}
`,
  'policy.yaml': `apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {name: admins, namespace: istio-system}
spec:
  rules:
  - when:
    - key: request.auth.claims[groups]
      values: [admins]
`,
})

/** Keycloak's `/admins` where `admins` is asked for. */
export const groupWithSlash: Rule = {
  id: 'group-with-slash',
  severity: 'warning',
  title: 'Keycloak tells groups with a leading slash, and they are compared without (or the other way round)',
  why: 'Keycloak’s group mapper says `/admins` unless `full.path` is off. `admins` then matches nobody: the members get 403 or are not let in at all.',
  remedy: 'Set `full.path` to `false` in the mapper, or write the groups as the tokens have them.',
  bad: files(true),
  good: files(false),
  find: (subject) => {
    const mappers = groupMappers(subject)
    const [mapper] = mappers
    if (!mapper || mappers.some(({ hasPath }) => hasPath !== mapper.hasPath)) return []
    return comparedGroups(subject)
      .filter(({ group }) => !/^\*/.test(group) && group.startsWith('/') !== mapper.hasPath)
      .map(({ group, place }) => ({
        place,
        message: `\`${group}\` is never in a token: the realm${seenAt(mapper.place)} tells groups ${mapper.hasPath ? 'with' : 'without'} a leading slash`,
        fix: `write \`${mapper.hasPath ? `/${group}` : group.slice(1)}\`, or set \`full.path\` to \`${!mapper.hasPath}\``,
      }))
  },
}

function groupMappers({ realms }: Subject) {
  return realms.flatMap((document) =>
    ['clients', 'clientScopes'].flatMap((list) =>
      itemsAt(document.value, [list]).flatMap((owner, index) =>
        itemsAt(owner, ['protocolMappers']).flatMap((mapper, at) => {
          if (valueAtPath(mapper, ['protocolMapper']) !== 'oidc-group-membership-mapper') return []
          const hasPath = String(valueAtPath(mapper, ['config', 'full.path']) ?? 'true') === 'true'
          return { hasPath, place: placeIn(document, [list, index, 'protocolMappers', at]) }
        }),
      ),
    ),
  )
}

/** Every group that something of the chain compares with those in a token. */
function comparedGroups(subject: Subject): { group: string; place: Place }[] {
  const inPolicies = conditionsOf(subject)
    .filter(({ condition: { field } }) => field === 'request.auth.claims[groups]')
    .flatMap(({ policy, condition }) => listedValues(subject, policy, condition))
    .map(({ value, place }) => ({ group: value, place }))
  const setting = subject.proxySetting('allowed_groups')
  const inProxy = [setting?.value ?? []].flat().flatMap((value) => String(value).split(','))
  // the proxy sees Keycloak's own groups only where no Dex stands between
  const own = setting && !subject.dex ? inProxy.map((group) => ({ group, place: placeOf(setting) })) : []
  return [...inPolicies, ...own]
}

function itemsAt(value: unknown, path: readonly string[]): readonly unknown[] {
  const items = valueAtPath(value, path)
  return Array.isArray(items) ? items : []
}
