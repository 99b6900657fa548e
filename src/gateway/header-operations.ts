import type { HeaderChange } from './ask.ts'
import type { HeaderList } from './header-list.ts'
import type { HeaderOperations } from './virtual-service.ts'

/** Applies a VirtualService's header operations. */
export function applyOperations(headers: HeaderList, { set, add, remove, changes = [] }: HeaderOperations): void {
  for (const name of remove) headers.remove(name)
  for (const [name, value] of set) headers.set(name, value)
  for (const [name, value] of add) headers.add(name, value)
  for (const change of changes) applyChange(headers, change)
}

/** Applies one change a provider asks for. */
export function applyChange(headers: HeaderList, { name, value, how }: HeaderChange): void {
  const isThere = headers.count(name) > 0
  if (how === 'append' || (how === 'add-if-absent' && !isThere)) headers.add(name, value)
  if (how === 'overwrite' || (how === 'overwrite-if-there' && isThere)) headers.set(name, value)
}

/** Whether there is anything to do. */
export function hasOperations({ set, add, remove, changes = [] }: HeaderOperations): boolean {
  return set.length + add.length + remove.length + changes.length > 0
}
