import { GatehouseError } from '../../kit/errors.ts'

/**
 * Runs work, at most so much at a time. `source` names who asks for it (an address), where that is known.
 * @throws GatehouseError `overloaded` when too much waits already, for all or for that source.
 */
export type WorkQueue = <Result>(work: () => Promise<Result>, source?: string) => Promise<Result>

/** How much a queue takes. */
export interface WorkQueueLimits {
  readonly running: number
  /** In line, beside what runs. */
  readonly waiting: number
  /** In line for one source, so that one of them cannot keep the others out. */
  readonly waitingPerSource: number
}

/** A bounded queue: what is beyond its limits is refused at once. */
export function openWorkQueue({ running, waiting, waitingPerSource }: WorkQueueLimits): WorkQueue {
  let active = 0
  const line: { readonly source: string | undefined; readonly start: () => void }[] = []

  async function takeTurn(source: string | undefined): Promise<void> {
    if (active < running) {
      active += 1
      return
    }
    const waitingToo = source === undefined ? 0 : line.filter((other) => other.source === source).length
    if (line.length >= waiting || waitingToo >= waitingPerSource) {
      throw new GatehouseError('overloaded', 'too many sign-ins at once')
    }
    await new Promise<void>((start) => line.push({ source, start }))
  }

  function passTurn(): void {
    const next = line.shift()
    if (next) next.start()
    else active -= 1
  }

  return async (work, source) => {
    await takeTurn(source)
    try {
      return await work()
    } finally {
      passTurn()
    }
  }
}
