import { createHash } from 'node:crypto'
import { GenerationCache } from '../../kit/cache.ts'
import type { Clock } from '../../kit/clock.ts'

/** Slows down guessing of one account's password from one address. */
export interface PasswordThrottle {
  /** Counts an attempt; `false` where it must not even be tried yet. */
  admit(user: string, address: string): boolean
  /** Forgets the failures: the right password came. */
  forget(user: string, address: string): void
}

/** Guesses that are free; then 1, 2, 4 … 300 seconds between two. */
const free = 5
const longestWait = 300_000
const remembered = 20_000

interface Failures {
  readonly count: number
  readonly nextAt: number
}

/** Opens the throttle of one process. An attempt counts before its password is looked at, so parallel ones all count. */
export function openPasswordThrottle(clock: Clock): PasswordThrottle {
  const failures = new GenerationCache<Failures>(remembered)
  // Hashed: what people type into a user name field is sometimes their password.
  const idOf = (user: string, address: string) => createHash('sha256').update(`${user}\0${address}`).digest('base64url')
  return {
    admit(user, address) {
      const id = idOf(user, address)
      const { count, nextAt } = failures.get(id) ?? { count: 0, nextAt: 0 }
      if (clock.now() < nextAt) return false
      const wait = count + 1 < free ? 0 : Math.min(longestWait, 1000 * 2 ** (count + 1 - free))
      failures.set(id, { count: count + 1, nextAt: clock.now() + wait })
      return true
    },
    forget: (user, address) => failures.delete(idOf(user, address)),
  }
}
