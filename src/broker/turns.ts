/** Lets work on the same thing take turns within this process. */
export interface Turns {
  take<Result>(key: string, work: () => Promise<Result>): Promise<Result>
}

/** Different keys do not wait for each other; a failed turn does not fail the next. */
export function openTurns(): Turns {
  const last = new Map<string, Promise<unknown>>()
  return {
    take(key, work) {
      const mine = (last.get(key) ?? Promise.resolve()).then(work, work)
      const settled = mine.catch(() => undefined)
      last.set(key, settled)
      void settled.then(() => {
        if (last.get(key) === settled) last.delete(key)
      })
      return mine
    },
  }
}
