import type { Clock } from './clock.ts'

/** How long an entry is kept at most, milliseconds. */
const minute = 60_000
/** How often it is looked for entries that are over, milliseconds. */
const sweepEvery = 1000

/** What an entry is worth. */
export interface EntryLimits {
  /** About how many bytes it holds. */
  readonly size: number
  /** When it is over, milliseconds since the epoch; after a minute at the latest. */
  readonly until: number
}

interface Entry<Value> extends EntryLimits {
  readonly value: Value
}

/**
 * A cache bounded in bytes. Where it is full, most of what it holds stays until its minute is over, and few newcomers are
 * taken: of more visitors than it has room for, those it knows are served fast, and they do not throw out one another.
 */
export class MinuteCache<Value> {
  readonly #capacity: number
  readonly #clock: Clock
  #entries = new Map<string, Entry<Value>>() // the order they came in is about the order they are over in
  #size = 0
  #sweptAt = 0
  #turnedAway = 0

  /** @param capacity in bytes */
  constructor(capacity: number, clock: Clock) {
    this.#capacity = capacity
    this.#clock = clock
  }

  get(key: string): Value | undefined {
    const entry = this.#entries.get(key)
    return entry && this.#clock.now() < entry.until ? entry.value : undefined
  }

  /**
   * Whether there is room, or now is. It is asked before the value is made, for that may cost more than it is worth. Of
   * those who find none every sixteenth takes the place of the oldest, so that who comes often is soon inside.
   */
  hasRoom(size: number): boolean {
    if (this.#fits(size)) return true
    this.#sweep()
    if (this.#fits(size)) return true
    this.#turnedAway += 1
    if (this.#turnedAway % 16 !== 0 || size > this.#capacity) return false
    for (const key of this.#entries.keys()) {
      if (this.#fits(size)) break
      this.delete(key)
    }
    return true
  }

  /** Keeps it, if there is room. */
  set(key: string, value: Value, { size, until }: EntryLimits): void {
    this.delete(key)
    const now = this.#clock.now()
    if (until <= now || !this.hasRoom(size)) return
    this.#entries.set(key, { value, size, until: Math.min(until, now + minute) })
    this.#size += size
  }

  delete(key: string): void {
    const entry = this.#entries.get(key)
    if (!entry) return
    this.#entries.delete(key)
    this.#size -= entry.size
  }

  clear(): void {
    this.#entries = new Map()
    this.#size = 0
  }

  #fits(size: number): boolean {
    return this.#size + size <= this.#capacity
  }

  /** Drops what is over, once a second at most. */
  #sweep(): void {
    const now = this.#clock.now()
    if (now < this.#sweptAt + sweepEvery && now >= this.#sweptAt) return
    this.#sweptAt = now
    for (const [key, { until }] of this.#entries) {
      if (now < until) break
      this.delete(key)
    }
  }
}
