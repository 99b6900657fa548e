import { GatehouseError } from '../../kit/errors.ts'

/** Runs work, at most so much at a time. @throws GatehouseError `overloaded` when too much waits already. */
export type WorkQueue = <Result>(work: () => Promise<Result>) => Promise<Result>

/** A bounded queue: `running` pieces of work at a time, `waiting` more in line, the rest refused at once. */
export function openWorkQueue({ running, waiting }: { running: number; waiting: number }): WorkQueue {
  let active = 0
  const line: (() => void)[] = []

  async function takeTurn(): Promise<void> {
    if (active < running) {
      active += 1
      return
    }
    if (line.length >= waiting) throw new GatehouseError('overloaded', 'too many sign-ins at once')
    await new Promise<void>((resolve) => line.push(resolve))
  }

  function passTurn(): void {
    const next = line.shift()
    if (next) next()
    else active -= 1
  }

  return async (work) => {
    await takeTurn()
    try {
      return await work()
    } finally {
      passTurn()
    }
  }
}
