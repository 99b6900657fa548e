import v8 from 'node:v8'
import vm from 'node:vm'

/**
 * Gives back what starting has left behind: parsed sources and configuration are garbage by now, but V8 would keep the
 * pages until the heap next fills, and an idle process never fills it. One collection, a few milliseconds, once.
 */
export function settleMemory(): void {
  v8.setFlagsFromString('--expose-gc')
  const collect: unknown = vm.runInNewContext('gc')
  if (typeof collect === 'function') collect()
}
