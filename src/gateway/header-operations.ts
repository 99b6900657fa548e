import type { HeaderList } from './header-list.ts'
import type { HeaderOperations } from './virtual-service.ts'

/** Applies a VirtualService's header operations. */
export function applyOperations(headers: HeaderList, { set, add, remove }: HeaderOperations): void {
  for (const name of remove) headers.remove(name)
  for (const [name, value] of set) headers.set(name, value)
  for (const [name, value] of add) headers.add(name, value)
}

/** Whether there is anything to do. */
export function hasOperations({ set, add, remove }: HeaderOperations): boolean {
  return set.length + add.length + remove.length > 0
}
