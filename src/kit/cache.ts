/**
 * A bounded cache of two generations: entries live in the young one; when it is full it becomes the old one and the old
 * one is dropped, so memory holds at most twice `capacity` entries and nothing is ever scanned. An entry read from the
 * old generation moves to the young one.
 */
export class GenerationCache<Value> {
  readonly #capacity: number
  #young = new Map<string, Value>()
  #old = new Map<string, Value>()

  constructor(capacity: number) {
    this.#capacity = capacity
  }

  get(key: string): Value | undefined {
    const young = this.#young.get(key)
    if (young !== undefined) return young
    const old = this.#old.get(key)
    if (old !== undefined) {
      this.#old.delete(key)
      this.set(key, old)
    }
    return old
  }

  set(key: string, value: Value): void {
    if (this.#young.size >= this.#capacity) {
      this.#old = this.#young
      this.#young = new Map()
    }
    this.#young.set(key, value)
  }

  delete(key: string): void {
    this.#young.delete(key)
    this.#old.delete(key)
  }

  /** Forgets every entry for which `isStale` holds, or all of them. */
  clear(isStale?: (value: Value) => boolean): void {
    if (!isStale) {
      this.#young = new Map()
      this.#old = new Map()
      return
    }
    for (const generation of [this.#young, this.#old]) {
      for (const [key, value] of generation) if (isStale(value)) generation.delete(key)
    }
  }
}
