import type { Clock } from '../kit/clock.ts'

/** How long Redis keeps what expires by our clock, in milliseconds: a minute more, for the clocks differ. */
export function redisLife(expiresAt: number, clock: Clock): number {
  return Math.max(1, expiresAt - clock.now()) + 60_000
}
