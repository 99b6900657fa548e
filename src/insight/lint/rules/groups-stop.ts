import { chainExample } from '../chain-example.ts'
import type { Edit } from '../edit.ts'
import { parsePath, placeBelow, placeIn, valueAtPath } from '../places.ts'
import type { Found, Rule } from '../rule.ts'
import type { Subject } from '../subject.ts'

/** Groups that one hop of the chain does not hand on. */
export const groupsStop: Rule = {
  id: 'groups-stop',
  severity: 'warning',
  title: 'the groups of users stop at one hop: a scope, a claim or a header is missing',
  why: 'Everyone can sign in and nobody has a group: `kubeflow-groups` is empty, shared namespaces do not show, policies on groups answer 403.',
  remedy:
    'Ask for the scope `groups` at every hop, set `insecureEnableGroups: true` in Dex’s connector, and tell the claim in `outputClaimToHeaders`.',
  bad: chainExample({ scope: 'openid email' }),
  good: chainExample({}),
  isAbout: ({ hasProxy }, { place }) => hasProxy || !place.path.startsWith('spec.jwtRules'),
  edits: (found, subject) => inDex(found, subject) ?? atGateway(found, subject) ?? inProxy(found, subject),
}

function atGateway({ place }: Found, subject: Subject): Edit[] | undefined {
  if (!place.path.startsWith('spec.jwtRules')) return undefined
  const first = placeBelow(subject, place, ['outputClaimToHeaders', 0])
  if (!first.path.endsWith('outputClaimToHeaders[0]')) return []
  return [{ kind: 'insert-object', place: first, object: '{header: kubeflow-groups, claim: groups}' }]
}

function inDex({ place, fix = '' }: Found, { dex }: Subject): Edit[] | undefined {
  const path = parsePath(place.path)
  if (dex?.source.file !== place.file || path[0] !== 'connectors') return undefined
  const value = valueAtPath(dex.value, path)
  if (fix.includes('scope')) {
    const last = Array.isArray(value) ? value.at(-1) : undefined
    if (!Array.isArray(value) || typeof last !== 'string') return []
    return [{ kind: 'add-item', place: placeIn(dex, [...path, value.length - 1]), after: last, item: 'groups' }]
  }
  const [first] = Object.keys((value ?? {}) as object)
  if (first === undefined) return []
  const at = placeIn(dex, [...path, first])
  return Object.keys(value as object).some((key) => key.toLowerCase() === 'insecureenablegroups')
    ? [{ kind: 'replace', place: placeIn(dex, [...path, 'insecureEnableGroups']), from: 'false', to: 'true' }]
    : [{ kind: 'add-entry', place: at, before: first, entry: 'insecureEnableGroups: true' }]
}

function inProxy({ place }: Found, { proxySetting }: Subject): Edit[] {
  const setting = proxySetting('scope')
  const last = String(setting?.value ?? '')
    .split(' ')
    .at(-1)
  if (!setting || !last || setting.source.file !== place.file) return []
  return [{ kind: 'replace', place, from: last, to: `${last} groups` }]
}
