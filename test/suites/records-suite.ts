import { describe, expect, test } from 'vitest'
import type { Records } from '../../src/store/records.ts'
import { type TestClock, testClock } from '../world/clock.ts'

/**
 * What every store of records must do. `open` answers fresh records over the given clock; `expiresByItself` of a store
 * that has nothing left to purge.
 */
export function recordsSuite(
  name: string,
  open: (clock: TestClock) => Promise<Records>,
  { expiresByItself = false }: { expiresByItself?: boolean } = {},
): void {
  describe(name, () => {
    const world = async () => {
      const clock = testClock()
      const records = await open(clock)
      return { clock, records, codes: records.collection<{ user: string }>('codes'), soon: clock.now() + 60_000 }
    }

    test('a record is found until it expires', async () => {
      const { clock, codes, soon } = await world()
      await codes.create('a', { user: 'ada' }, soon)
      expect(await codes.find('a')).toEqual({ user: 'ada' })
      clock.advance(60_000)
      expect(await codes.find('a')).toBeUndefined()
      expect(await codes.use('a')).toBeUndefined()
      expect(await codes.update('a', (old) => old)).toBeUndefined()
    })

    test('a live id is not taken twice, an expired one is', async () => {
      const { clock, codes, soon } = await world()
      expect(await codes.create('a', { user: 'ada' }, soon)).toBe(true)
      expect(await codes.create('a', { user: 'eve' }, soon)).toBe(false)
      expect(await codes.find('a')).toEqual({ user: 'ada' })
      clock.advance(60_000)
      expect(await codes.create('a', { user: 'eve' }, clock.now() + 1)).toBe(true)
      expect(await codes.use('a')).toEqual({ value: { user: 'eve' }, uses: 1 })
    })

    test('the same id in two collections is two records', async () => {
      const { records, codes, soon } = await world()
      await codes.create('a', { user: 'ada' }, soon)
      expect(await records.collection('sessions').find('a')).toBeUndefined()
    })

    test('of 1,000 parallel uses exactly one is the first', async () => {
      const { codes, soon } = await world()
      await codes.create('a', { user: 'ada' }, soon)
      const uses = await Promise.all(Array.from({ length: 1000 }, () => codes.use('a')))
      expect(uses.filter((use) => use?.uses === 1)).toHaveLength(1)
      expect(new Set(uses.map((use) => use?.uses)).size).toBe(1000)
    })

    test('of many parallel deletions exactly one did it', async () => {
      const { codes, soon } = await world()
      await codes.create('a', { user: 'ada' }, soon)
      const outcomes = await Promise.all(Array.from({ length: 50 }, () => codes.delete('a')))
      expect(outcomes.filter(Boolean)).toHaveLength(1)
    })

    test('parallel updates are all applied', async () => {
      const { records, soon } = await world()
      const counters = records.collection<{ count: number }>('counters')
      await counters.create('a', { count: 0 }, soon)
      await Promise.all(Array.from({ length: 50 }, () => counters.update('a', ({ count }) => ({ count: count + 1 }))))
      expect(await counters.find('a')).toEqual({ count: 50 })
    })

    test('an update that changes nothing leaves the record, and may move its expiry otherwise', async () => {
      const { clock, codes, soon } = await world()
      await codes.create('a', { user: 'ada' }, soon)
      expect(await codes.update('a', () => undefined)).toEqual({ user: 'ada' })
      await codes.update('a', () => ({ user: 'bob' }), soon + 60_000)
      clock.advance(90_000)
      expect(await codes.find('a')).toEqual({ user: 'bob' })
    })

    test('purge removes what has expired and nothing else', async () => {
      const { clock, records, codes, soon } = await world()
      await codes.create('old', { user: 'ada' }, soon)
      await codes.create('new', { user: 'bob' }, soon + 60_000)
      clock.advance(60_000)
      expect(await records.purge()).toBe(expiresByItself ? 0 : 1)
      expect(await codes.find('old')).toBeUndefined()
      expect(await codes.find('new')).toEqual({ user: 'bob' })
    })
  })
}
