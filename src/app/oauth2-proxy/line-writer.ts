/** Lines that are written together, once for every turn of the event loop. */
export interface LineWriter {
  write(line: string): void
  /** Writes what is waiting now. */
  flush(): void
}

/** Gathers lines: a write for each request costs more than answering it. */
export function openLineWriter(writeText: (text: string) => void): LineWriter {
  let waiting = ''
  function flush(): void {
    if (waiting === '') return
    const text = waiting
    waiting = ''
    writeText(text)
  }
  return {
    write(line) {
      if (waiting === '') setImmediate(flush)
      waiting += `${line}\n`
    },
    flush,
  }
}
