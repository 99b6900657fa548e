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
 * A cache bounded in bytes. Where it is full, what it holds stays until its minute is over and newcomers are not taken:
 * of more visitors than it has room for, those it knows are served fast, and it does not throw out all of them in turn.
 */
export class MinuteCache<Value> {
  readonly #capacity: number
  readonly #clock: Clock
  #entries = new Map<string, Entry<Value>>() // the order they came in is about the order they are over in
  #size = 0
  #sweptAt = 0

  /** @param capacity in bytes */
  constructor(capacity: number, clock: Clock) {
    this.#capacity = capacity
    this.#clock = clock
  }

  get(key: string): Value | undefined {
    const entry = this.#entries.get(key)
    return entry && this.#clock.now() < entry.until ? entry.value : undefined
  }

  /** Whether there is room is asked before the value is made, for that may cost more than it is worth. */
  hasRoom(size: number): boolean {
    if (this.#size + size <= this.#capacity) return true
    const now = this.#clock.now()
    if (now < this.#sweptAt + sweepEvery && now >= this.#sweptAt) return false
    this.#sweptAt = now
    for (const [key, { until }] of this.#entries) {
      if (now < until) break
      this.delete(key)
    }
    return this.#size + size <= this.#capacity
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
}
