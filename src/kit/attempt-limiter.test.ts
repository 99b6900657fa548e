import { expect, test } from 'vitest'
import { openAttemptLimiter } from './attempt-limiter.ts'

function limiter() {
  let now = 0
  const attempts = openAttemptLimiter({ clock: { now: () => now }, free: [3, 5] })
  return {
    attempts,
    wait(milliseconds: number) {
      now += milliseconds
    },
  }
}

test('each attempt beyond the free ones costs twice the wait of the one before, up to five minutes', () => {
  const { attempts, wait } = limiter()
  const waits: number[] = []
  for (let attempt = 0; attempt < 16; attempt += 1) {
    expect(attempts.begin(['ada'])).toBeUndefined()
    const seconds = attempts.begin(['ada']) ?? 0
    if (seconds === 0) continue
    waits.push(seconds)
    wait(seconds * 1000)
  }
  expect(waits).toEqual([1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300, 300, 300, 300, 300])
})

test('a quarter of an hour of quiet forgets', () => {
  const { attempts, wait } = limiter()
  for (let attempt = 0; attempt < 3; attempt += 1) attempts.begin(['ada'])
  expect(attempts.begin(['ada'])).toBe(1)
  wait(1000 + 900_000)
  for (let attempt = 0; attempt < 3; attempt += 1) expect(attempts.begin(['ada'])).toBeUndefined()
})

test('success forgets the first key, and of the others only itself', () => {
  const { attempts } = limiter()
  const tryAs = (name: string) => attempts.begin([name, 'address'])
  for (const name of ['a', 'b', 'c', 'd']) expect(tryAs(name)).toBeUndefined()
  for (let round = 0; round < 10; round += 1) {
    expect(tryAs('mine')).toBeUndefined()
    attempts.succeed(['mine', 'address'])
  }
  expect(tryAs('e')).toBeUndefined()
  expect(tryAs('f')).toBe(1)
})
