import type { ConditionKind } from './conditions/condition.ts'
import { operationFields, sourceFields, whenKeys, whenPrefixes } from './conditions/index.ts'
import type { Test } from './facts.ts'
import type { Place, Reader } from './reader.ts'
import { parseResource, type Resource } from './resource.ts'
import { parseScope, type Scope } from './scope.ts'

/** What a policy does where one of its rules matches. */
export type Action = 'ALLOW' | 'DENY' | 'AUDIT' | 'CUSTOM'

/** An AuthorizationPolicy, read and compiled. Without rules it never matches: ALLOW with none allows nothing. */
export interface AuthorizationPolicy extends Resource {
  readonly scope: Scope
  readonly action: Action
  /** The extension provider a CUSTOM policy asks. */
  readonly provider: string | undefined
  /** Annotation `istio.io/dry-run`: evaluated for explanation, never enforced. */
  readonly isDryRun: boolean
  readonly rules: readonly Rule[]
}

/** Any of `sources`, and any of `operations`, and all of `when`; an empty list asks nothing. */
export interface Rule {
  readonly place: Place
  /** Its index among the policy's rules as written; part of the id Istio shows. */
  readonly index: number
  readonly sources: readonly ConditionGroup[]
  readonly operations: readonly ConditionGroup[]
  readonly when: readonly Condition[]
}

/** One `source` or `operation`: all of its conditions. */
export interface ConditionGroup {
  readonly place: Place
  readonly conditions: readonly Condition[]
}

/** A list of values, any of which may match; negated for the `not…` fields. */
export interface Condition {
  /** As written: `notPaths`, `request.headers[authorization]`. */
  readonly field: string
  readonly place: Place
  readonly kind: ConditionKind
  readonly argument: string
  readonly values: readonly string[]
  readonly isNegated: boolean
  readonly test: Test
}

const actions: readonly string[] = ['ALLOW', 'DENY', 'AUDIT', 'CUSTOM']

/**
 * Reads and compiles a policy. Every mistake is a problem of severity error: a rule that cannot be enforced must keep
 * the configuration from loading, where Istio would skip it and let a DENY vanish.
 */
export function parseAuthorizationPolicy(document: Reader, defaultNamespace: string): AuthorizationPolicy {
  const resource = parseResource(document, defaultNamespace)
  const spec = document.field('spec')
  spec.refuseUnknown(['selector', 'targetRef', 'targetRefs', 'action', 'provider', 'rules'])
  const action = parseAction(spec.field('action'))
  const provider = parseProvider(spec.field('provider'), action)
  const isDryRun = ['1', 't', 'T', 'true', 'TRUE', 'True'].includes(resource.annotations['istio.io/dry-run'] ?? '')
  if (isDryRun && (action === 'CUSTOM' || action === 'AUDIT')) {
    document
      .field('metadata')
      .error(`\`istio.io/dry-run\` does not hold back a policy of action ${action}`, 'remove the annotation')
  }
  const rules = spec.field('rules')
  const parsed = rules.items().flatMap((rule, index) => (rule.isPresent ? [parseRule(rule, index, action)] : []))
  if (parsed.length === 0 && action === 'AUDIT') spec.warn('an AUDIT policy without rules never matches')
  else if (parsed.length === 0 && action !== 'ALLOW') {
    spec.error(`a ${action} policy without rules never matches`, 'write `rules: [{}]` to match every request')
  }
  return { ...resource, scope: parseScope(spec), action, provider, isDryRun, rules: parsed }
}

function parseAction(reader: Reader): Action {
  const action = reader.value === 0 ? 'ALLOW' : (reader.text() ?? 'ALLOW')
  if (actions.includes(action)) return action as Action // checked against the list
  reader.error(`unknown action \`${action}\``, `known: ${actions.join(', ')}`)
  return 'DENY'
}

function parseProvider(reader: Reader, action: Action): string | undefined {
  reader.refuseUnknown(['name'])
  const name = reader.field('name').text()
  if (action === 'CUSTOM' && !name) reader.error('a CUSTOM policy needs `provider.name`')
  if (action !== 'CUSTOM' && reader.isPresent) reader.error(`a provider means nothing for action ${action}`)
  return name
}

function parseRule(rule: Reader, index: number, action: Action): Rule {
  rule.refuseUnknown(['from', 'to', 'when'])
  const groups = (
    list: 'from' | 'to',
    member: 'source' | 'operation',
    table: Readonly<Record<string, ConditionKind>>,
  ) =>
    listOf(rule.field(list)).map((item) => {
      item.refuseUnknown([member])
      return parseGroup(item.field(member), table, action)
    })
  return {
    place: rule.place,
    index,
    sources: groups('from', 'source', sourceFields),
    operations: groups('to', 'operation', operationFields),
    when: listOf(rule.field('when')).flatMap((item) => parseWhen(item, action)),
  }
}

/** A list that, when it is written, must hold something: Istio's validation refuses an empty one. */
function listOf(list: Reader): readonly Reader[] {
  const items = list.items()
  if (Array.isArray(list.value) && items.length === 0) list.error('must not be empty', 'leave it out')
  return items
}

function parseGroup(group: Reader, table: Readonly<Record<string, ConditionKind>>, action: Action): ConditionGroup {
  const fields = Object.keys(table).flatMap((name) => [name, negated(name)])
  group.refuseUnknown(fields)
  const conditions = fields.flatMap((name, at) => {
    const list = group.field(name)
    const kind = table[fields[at - (at % 2)] ?? '']
    if (!list.isPresent || !kind) return []
    return [parseCondition(list, { field: name, kind, argument: '', isNegated: at % 2 === 1, action })]
  })
  if (conditions.length === 0) group.error('must name at least one field')
  if (group.field('serviceAccounts').isPresent) checkServiceAccounts(group)
  return { place: group.place, conditions }
}

/** `paths` → `notPaths` */
function negated(name: string): string {
  return `not${name.charAt(0).toUpperCase()}${name.slice(1)}`
}

function checkServiceAccounts(source: Reader): void {
  for (const other of ['principals', 'notPrincipals', 'namespaces', 'notNamespaces']) {
    if (source.field(other).isPresent) source.field(other).error('cannot stand beside `serviceAccounts`')
  }
}

function parseWhen(item: Reader, action: Action): Condition[] {
  item.refuseUnknown(['key', 'values', 'notValues'])
  const key = item.field('key').text() ?? ''
  const found = findKey(key)
  if (!found) {
    const known = [...Object.keys(whenKeys), ...Object.keys(whenPrefixes).map((prefix) => `${prefix}[…]`)]
    item.field('key').error(`unknown condition \`${key}\``, `known: ${known.join(', ')}`)
    return []
  }
  const mistake = found.kind.argumentMistake?.(found.argument)
  if (mistake !== undefined) item.field('key').error(mistake)
  const lists = [item.field('values'), item.field('notValues')].filter((list) => list.isPresent)
  if (lists.length === 0) item.error('needs `values` or `notValues`')
  return lists.map((list) =>
    parseCondition(list, { ...found, field: key, isNegated: list.path.at(-1) === 'notValues', action }),
  )
}

function findKey(key: string): { readonly kind: ConditionKind; readonly argument: string } | undefined {
  const exact = Object.hasOwn(whenKeys, key) ? whenKeys[key] : undefined
  if (exact) return { kind: exact, argument: '' }
  for (const [prefix, { kind, brackets }] of Object.entries(whenPrefixes)) {
    if (!key.startsWith(prefix)) continue
    const rest = key.slice(prefix.length)
    if (brackets) return { kind, argument: rest }
    if (rest.startsWith('[') && rest.endsWith(']')) return { kind, argument: rest.slice(1, -1) }
  }
  return undefined
}

function parseCondition(
  list: Reader,
  about: Pick<Condition, 'field' | 'kind' | 'argument' | 'isNegated'> & { readonly action: Action },
): Condition {
  const { field, kind, argument, isNegated, action } = about
  const values = listOf(list).flatMap((item) => {
    const value = typeof item.value === 'number' ? String(item.value) : item.text()
    if (value === '') item.error('must not be empty')
    const mistake = value ? kind.mistake?.(value) : undefined
    if (mistake !== undefined) item.error(mistake)
    return value && mistake === undefined ? [value] : []
  })
  if (action === 'CUSTOM' && kind.needsIdentity) {
    list.error(`\`${field}\` cannot be used in a CUSTOM policy: the provider is asked before tokens are verified`)
  }
  return { field, place: list.place, kind, argument, values, isNegated, test: kind.compile(values, argument) }
}
