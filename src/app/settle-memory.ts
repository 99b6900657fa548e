import v8 from 'node:v8'
import vm from 'node:vm'

/**
 * Gives back what starting has left behind: parsed sources and configuration are garbage by now, but V8 would keep the
 * pages until the heap next fills, and an idle process never fills it. One collection as for a heap that is nearly out
 * of memory, which lets go of empty pages and of code that will not run again; some 50 milliseconds, once.
 */
export function settleMemory(): void {
  v8.setFlagsFromString('--expose-gc')
  const collect: unknown = vm.runInNewContext('gc')
  if (typeof collect === 'function') collect({ type: 'major', execution: 'sync', flavor: 'last-resort' })
}
