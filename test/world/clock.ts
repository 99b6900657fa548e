import type { Clock } from '../../src/kit/clock.ts'

/** A clock that stands still until it is moved. */
export interface TestClock extends Clock {
  /** Moves time forward by milliseconds. */
  advance(milliseconds: number): void
}

/** Starts at a fixed moment (2026-01-01T00:00:00Z unless told). */
export function testClock(start = Date.UTC(2026, 0, 1)): TestClock {
  let now = start
  return {
    now: () => now,
    advance(milliseconds) {
      now += milliseconds
    },
  }
}
