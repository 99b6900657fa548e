import { describe, expect, test } from 'vitest'
import type { Records } from '../../src/store/records.ts'
import { type TestClock, testClock } from '../world/clock.ts'

/** What every journal must do. `open` answers records of one store; each call is another replica of it. */
export function journalSuite(name: string, open: (clock: TestClock) => Promise<() => Records>): void {
  describe(name, () => {
    const world = async () => {
      const clock = testClock()
      const replica = await open(clock)
      const journal = () => replica().journal<string>('news')
      return { clock, journal, replica, soon: clock.now() + 60_000 }
    }
    const entriesOf = (lines: readonly { entry: string }[]) => lines.map(({ entry }) => entry)

    test('every replica reads the same entries in the same order', async () => {
      const { journal, soon } = await world()
      const [here, there] = [journal(), journal()]
      for (const entry of ['a', 'b', 'c']) await (entry === 'b' ? there : here).append(entry, soon)
      expect(entriesOf(await here.readAfter(0))).toEqual(['a', 'b', 'c'])
      expect(await there.readAfter(0)).toEqual(await here.readAfter(0))
    })

    test('a reader goes on where it stopped', async () => {
      const { journal, soon } = await world()
      const news = journal()
      await news.append('a', soon)
      const [first] = await news.readAfter(0)
      expect(await news.readAfter(first?.position ?? 0)).toEqual([])
      await news.append('b', soon)
      expect(entriesOf(await news.readAfter(first?.position ?? 0))).toEqual(['b'])
    })

    test('entries are gone at their expiry, and a position is never given twice', async () => {
      const { clock, journal, replica, soon } = await world()
      await journal().append('a', soon)
      const [old] = await journal().readAfter(0)
      clock.advance(60_000)
      expect(await journal().readAfter(0)).toEqual([])
      await replica().purge()
      await journal().append('b', clock.now() + 1)
      const [next] = await journal().readAfter(0)
      expect(next?.position).toBeGreaterThan(old?.position ?? 0)
    })

    test('journals of other names are other journals', async () => {
      const { journal, replica, soon } = await world()
      await replica().journal('weather').append('rain', soon)
      expect(await journal().readAfter(0)).toEqual([])
    })

    test('entries appended at once all arrive', async () => {
      const { journal, soon } = await world()
      const entries = Array.from({ length: 50 }, (_, at) => `${at}`)
      await Promise.all(entries.map((entry) => journal().append(entry, soon)))
      expect(entriesOf(await journal().readAfter(0)).toSorted()).toEqual(entries.toSorted())
    })
  })
}
