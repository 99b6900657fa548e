import type { Log } from '../../kit/log.ts'

/** Tells of clients that were cut off, without a line for each: an attack must not fill the log. */
export interface CutLog {
  tell(reason: string): void
  /** Tells at once what is still to be told. */
  close(): void
}

/** How long cuts are counted before they are told together, milliseconds. */
const quietMilliseconds = 60_000

/** The first cut for a reason is told at once, the others by their number, a minute later. */
export function openCutLog(log: Log): CutLog {
  const counts = new Map<string, number>()
  let timer: NodeJS.Timeout | undefined

  function flush(): void {
    timer = undefined
    for (const [reason, count] of counts) if (count > 0) log.warn('clients cut off', { reason, count })
    const isOver = [...counts.values()].every((count) => count === 0)
    if (isOver) counts.clear()
    else restart()
  }

  function restart(): void {
    for (const reason of counts.keys()) counts.set(reason, 0)
    timer ??= setTimeout(flush, quietMilliseconds).unref()
  }

  return {
    tell(reason) {
      const count = counts.get(reason)
      counts.set(reason, count === undefined ? 0 : count + 1)
      if (count === undefined) log.warn('clients cut off', { reason, count: 1 })
      timer ??= setTimeout(flush, quietMilliseconds).unref()
    },
    close() {
      clearTimeout(timer)
      timer = undefined
      for (const [reason, count] of counts) if (count > 0) log.warn('clients cut off', { reason, count })
      counts.clear()
    },
  }
}
