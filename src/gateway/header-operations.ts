import type { HeaderChange } from './ask.ts'
import type { HeaderList } from './header-list.ts'
import { fillIn, type ValueSource } from './header-values.ts'
import { type HeaderOperations, noHeaderOperations } from './virtual-service.ts'

/** Applies header operations in Envoy's order: all removals, then what is set, then what is added. */
export function applyOperations(
  headers: HeaderList,
  { set, add, remove, changes = [] }: HeaderOperations,
  source: ValueSource,
): void {
  for (const name of remove) headers.remove(name)
  // every value is of the headers as they came
  const [setting, adding] = [filled(set, source), filled(add, source)]
  for (const [name, value] of setting) headers.set(name, value)
  for (const [name, value] of adding) headers.add(name, value)
  for (const change of changes) applyChange(headers, change)
}

type Pairs = HeaderOperations['set']

/** A header whose value comes out empty is left as it is (Envoy `keep_empty_value`). */
function filled(pairs: Pairs, source: ValueSource): Pairs {
  if (!pairs.some(([, value]) => value.includes('%'))) return pairs
  return pairs.map(([name, value]) => [name, fillIn(value, source)] as const).filter(([, value]) => value !== '')
}

/** Applies one change a provider asks for. */
function applyChange(headers: HeaderList, { name, value, how }: HeaderChange): void {
  const isThere = headers.count(name) > 0
  if (how === 'append' || (how === 'add-if-absent' && !isThere)) headers.add(name, value)
  if (how === 'overwrite' || (how === 'overwrite-if-there' && isThere)) headers.set(name, value)
}

/** Whether there is anything to do. */
export function hasOperations({ set, add, remove, changes = [] }: HeaderOperations): boolean {
  return set.length + add.length + remove.length + changes.length > 0
}

/** Both at once, the second after the first. */
export function joinOperations(one: HeaderOperations, other: HeaderOperations): HeaderOperations {
  if (other === noHeaderOperations) return one
  if (one === noHeaderOperations) return other
  return {
    set: [...one.set, ...other.set],
    add: [...one.add, ...other.add],
    remove: [...one.remove, ...other.remove],
    authority: one.authority ?? other.authority,
  }
}
