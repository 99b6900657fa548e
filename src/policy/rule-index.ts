import { type PrefixTree, prefixTree } from '../kit/prefix-tree.ts'
import type { Condition, Rule } from './authorization-policy.ts'
import type { Lookup } from './conditions/condition.ts'
import type { RequestFacts } from './facts.ts'

/** Finds the rules that may match a request without trying all of them. */
export interface RuleIndex<Applied> {
  /** The first rule, in the order given, for which `matches` holds; it is asked only of rules that may match. */
  first(facts: RequestFacts, matches: (applied: Applied) => boolean): Applied | undefined
}

interface Numbered<Applied> {
  readonly order: number
  readonly applied: Applied
}

/** One text of the request that some rules hang on: the path, a header, a claim. */
interface Dimension {
  /** Tells dimensions apart. */
  readonly name: string
  readonly lookup: Lookup
  readonly argument: string
}

/** What a rule can be found by: in that dimension, a text that begins with one of these. */
interface Handle {
  readonly dimension: Dimension
  readonly prefixes: readonly string[]
}

/**
 * Files every rule under the one of its conditions that tells it best from the others; a rule that has none which must
 * hold (only `not…` fields, suffixes) is tried for every request.
 */
export function indexRules<Applied extends { readonly rule: Rule }>(rules: readonly Applied[]): RuleIndex<Applied> {
  const numbered = rules.map((applied, order) => ({ order, applied, handles: handlesOf(applied.rule) }))
  const crowds = countShared(numbered.flatMap(({ handles }) => handles))
  const always: Numbered<Applied>[] = []
  const filed = new Map<string, { dimension: Dimension; pairs: (readonly [string, Numbered<Applied>])[] }>()
  for (const { order, applied, handles } of numbered) {
    const handle = bestHandle(handles, crowds)
    if (!handle) {
      always.push({ order, applied })
      continue
    }
    const { dimension, prefixes } = handle
    const file = filed.get(dimension.name) ?? { dimension, pairs: [] }
    filed.set(dimension.name, file)
    for (const prefix of prefixes) file.pairs.push([prefix, { order, applied }])
  }
  const trees = [...filed.values()].map(({ dimension, pairs }) => ({ ...dimension, tree: prefixTree(pairs) }))
  return { first: (facts, matches) => firstMatch({ always, trees }, facts, matches) }
}

interface Filed<Applied> {
  readonly always: readonly Numbered<Applied>[]
  readonly trees: readonly (Dimension & { readonly tree: PrefixTree<Numbered<Applied>> })[]
}

function firstMatch<Applied>(
  { always, trees }: Filed<Applied>,
  facts: RequestFacts,
  matches: (applied: Applied) => boolean,
): Applied | undefined {
  let best: Numbered<Applied> | undefined
  const tryAll = (candidates: readonly Numbered<Applied>[]): void => {
    for (const candidate of candidates) {
      if (best && candidate.order >= best.order) return
      if (matches(candidate.applied)) best = candidate
    }
  }
  tryAll(always)
  for (const { lookup, argument, tree } of trees) {
    const texts = lookup.textsOf(facts, argument)
    if (typeof texts === 'string') tree.visit(texts, tryAll)
    else for (const text of texts ?? []) tree.visit(text, tryAll)
  }
  return best?.applied
}

/** Every `when`, and every field that all sources (or all operations) have: one of its values must match. */
function handlesOf({ sources, operations, when }: Rule): Handle[] {
  const handles = when.flatMap((condition) => handleOf([condition]) ?? [])
  for (const groups of [sources, operations]) {
    for (const { field } of groups[0]?.conditions ?? []) {
      const conditions = groups.flatMap((group) => group.conditions.find((one) => one.field === field) ?? [])
      const handle = conditions.length === groups.length ? handleOf(conditions) : undefined
      if (handle) handles.push(handle)
    }
  }
  return handles
}

/** Conditions on the same field, one of which must hold. */
function handleOf(conditions: readonly Condition[]): Handle | undefined {
  const [first] = conditions
  if (!first?.kind.lookup || first.isNegated) return undefined
  const { lookup } = first.kind
  const prefixes = [...new Set(conditions.flatMap(({ values }) => values.map(lookup.prefixOf)))]
  if (prefixes.includes('')) return undefined
  return { dimension: { name: `${first.field} ${first.argument}`, lookup, argument: first.argument }, prefixes }
}

const nameOf = (dimension: Dimension, prefix: string): string => `${dimension.name}\n${prefix}`

/** How many rules could stand under each prefix. */
function countShared(handles: readonly Handle[]): ReadonlyMap<string, number> {
  const counts = new Map<string, number>()
  for (const { dimension, prefixes } of handles) {
    for (const prefix of prefixes) {
      const name = nameOf(dimension, prefix)
      counts.set(name, (counts.get(name) ?? 0) + 1)
    }
  }
  return counts
}

/** The handle whose most crowded prefix is shared with the fewest rules. */
function bestHandle(handles: readonly Handle[], crowds: ReadonlyMap<string, number>): Handle | undefined {
  const crowdOf = ({ dimension, prefixes }: Handle) =>
    Math.max(0, ...prefixes.map((prefix) => crowds.get(nameOf(dimension, prefix)) ?? 0))
  let best: { readonly handle: Handle; readonly crowd: number } | undefined
  for (const handle of handles) {
    const crowd = crowdOf(handle)
    if (!best || crowd < best.crowd) best = { handle, crowd }
  }
  return best?.handle
}
