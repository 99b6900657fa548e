import { hash } from 'node:crypto'
import { GenerationCache } from './cache.ts'
import type { Clock } from './clock.ts'

/** Slows down guessing: counts attempts by key and says when the next one may be made. */
export interface AttemptLimiter {
  /**
   * Counts an attempt before it is made, so that parallel ones count each. Returns the seconds to wait where there were
   * too many; then it must not be made.
   */
  begin(keys: readonly string[]): number | undefined
  /**
   * The attempt was right: what was counted for its first key is forgotten, for the others only this attempt is, so
   * that one good account does not wipe out an address's guesses at others.
   */
  succeed(keys: readonly string[]): void
}

interface Counted {
  readonly count: number
  readonly since: number
  readonly blockedUntil: number
}

/**
 * Up to `free` attempts by key within `window`; after that each costs twice the wait of the one before, up to
 * `longest`. Kept in memory: a replica counts for itself. Times in milliseconds.
 */
export function openAttemptLimiter({
  clock,
  free,
  window = 900_000,
  first = 1000,
  longest = 300_000,
  capacity = 50_000,
}: {
  clock: Clock
  /** How many attempts cost nothing, by the key's position. */
  free: readonly number[]
  window?: number
  first?: number
  longest?: number
  capacity?: number
}): AttemptLimiter {
  const counted = new GenerationCache<Counted>(capacity)

  function countOf(key: string, now: number): Counted {
    const found = counted.get(key)
    return found && now < Math.max(found.since, found.blockedUntil) + window
      ? found
      : { count: 0, since: now, blockedUntil: 0 }
  }

  return {
    begin(given) {
      const now = clock.now()
      const keys = given.map(hashOf)
      const states = keys.map((key) => countOf(key, now))
      const blockedUntil = Math.max(...states.map((state) => state.blockedUntil))
      if (now < blockedUntil) return Math.ceil((blockedUntil - now) / 1000)
      for (const [index, key] of keys.entries()) {
        const state = states[index] ?? countOf(key, now)
        const count = state.count + 1
        const excess = count - (free[index] ?? 0)
        const wait = excess < 0 ? 0 : Math.min(first * 2 ** excess, longest)
        counted.set(key, { count, since: state.since, blockedUntil: wait === 0 ? 0 : now + wait })
      }
      return undefined
    },
    succeed(keys) {
      const [own, ...shared] = keys.map(hashOf)
      if (own !== undefined) counted.delete(own)
      for (const key of shared) {
        const state = counted.get(key)
        if (state) counted.set(key, { ...state, count: state.count - 1, blockedUntil: 0 })
      }
    },
  }
}

/** A name may be as long as a form, and what people type there is sometimes their password. */
function hashOf(key: string): string {
  return hash('sha256', key, 'base64url')
}
