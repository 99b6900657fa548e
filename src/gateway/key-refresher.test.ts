import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { type KeyRefresher, openKeyRefresher } from './key-refresher.ts'

const minute = 60_000
let refresher: KeyRefresher

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
  refresher = openKeyRefresher()
})
afterEach(() => {
  refresher.close()
  vi.useRealTimers()
})

/** A source that answers as told, and how often it was asked. */
function source(answers: () => boolean = () => true) {
  return { refresh: vi.fn(async () => answers()) }
}

test('keys are asked for at once and every twenty minutes', async () => {
  const one = source()
  refresher.watch([one])
  expect(one.refresh).toHaveBeenCalledTimes(1)
  await vi.advanceTimersByTimeAsync(19 * minute)
  expect(one.refresh).toHaveBeenCalledTimes(1)
  await vi.advanceTimersByTimeAsync(21 * minute)
  expect(one.refresh).toHaveBeenCalledTimes(3)
})

test('an issuer that is down is asked again after one minute, two, four, up to an hour; then as usual', async () => {
  let isUp = false
  const one = source(() => isUp)
  refresher.watch([one])
  const asked = async (minutes: number) => {
    one.refresh.mockClear()
    await vi.advanceTimersByTimeAsync(minutes * minute)
    return one.refresh.mock.calls.length
  }
  expect([await asked(1), await asked(2), await asked(4), await asked(8), await asked(16), await asked(32)]).toEqual(
    Array(6).fill(1),
  )
  expect([await asked(59), await asked(1), await asked(60)]).toEqual([0, 1, 1])
  isUp = true
  expect([await asked(60), await asked(19), await asked(1)]).toEqual([1, 0, 1])
  isUp = false
  expect([await asked(20), await asked(1)]).toEqual([1, 1])
})

test('a reload keeps what was watched, asks what is new and leaves what is gone', async () => {
  const [kept, gone, fresh] = [source(), source(), source()]
  refresher.watch([kept, gone])
  await vi.advanceTimersByTimeAsync(minute)
  refresher.watch([kept, fresh])
  expect([kept, gone, fresh].map(({ refresh }) => refresh.mock.calls.length)).toEqual([1, 1, 1])
  await vi.advanceTimersByTimeAsync(30 * minute)
  expect([kept, gone, fresh].map(({ refresh }) => refresh.mock.calls.length)).toEqual([2, 1, 2])
  refresher.close()
  await vi.advanceTimersByTimeAsync(300 * minute)
  expect(kept.refresh).toHaveBeenCalledTimes(2)
})

test('keys of the configuration itself are never asked for', () => {
  refresher.watch([{}])
  expect(vi.getTimerCount()).toBe(0)
})
