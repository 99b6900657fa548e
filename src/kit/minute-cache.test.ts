import fc from 'fast-check'
import { expect, test } from 'vitest'
import { MinuteCache } from './minute-cache.ts'

function world(capacity = 10) {
  const clock = { time: 1_700_000_000_000, now: () => clock.time }
  return { clock, cache: new MinuteCache<string>(capacity, clock) }
}

const later = Number.POSITIVE_INFINITY

test('an entry is kept for a minute, or until it is over before that', () => {
  const { clock, cache } = world()
  cache.set('long', 'a', { size: 1, until: later })
  cache.set('short', 'b', { size: 1, until: clock.time + 1000 })
  cache.set('over', 'c', { size: 1, until: clock.time })
  expect([cache.get('long'), cache.get('short'), cache.get('over')]).toEqual(['a', 'b', undefined])
  clock.time += 1000
  expect([cache.get('long'), cache.get('short')]).toEqual(['a', undefined])
  clock.time += 59_000
  expect(cache.get('long')).toBeUndefined()
})

test('where it is full the newcomer is not taken, until those inside are over', () => {
  const { clock, cache } = world()
  cache.set('first', 'a', { size: 8, until: later })
  cache.set('second', 'b', { size: 3, until: later })
  expect([cache.get('first'), cache.get('second'), cache.hasRoom(3), cache.hasRoom(2)]).toEqual([
    'a',
    undefined,
    false,
    true,
  ])
  clock.time += 60_000
  expect(cache.hasRoom(3)).toBe(true)
  cache.set('second', 'b', { size: 3, until: later })
  expect([cache.get('first'), cache.get('second')]).toEqual([undefined, 'b'])
})

test('who comes again and again finds room in the place of the oldest', () => {
  const { cache } = world()
  for (const key of ['oldest', 'older', 'young']) cache.set(key, key, { size: 3, until: later })
  for (let times = 0; times < 15; times += 1) cache.set('often', 'often', { size: 2, until: later })
  expect(cache.get('often')).toBeUndefined()
  cache.set('often', 'often', { size: 2, until: later })
  expect(['oldest', 'older', 'young', 'often'].map((key) => cache.get(key))).toEqual([
    undefined,
    'older',
    'young',
    'often',
  ])
  for (let times = 0; times < 32; times += 1) expect(cache.hasRoom(11)).toBe(false)
})

test('what is deleted, replaced or cleared makes room', () => {
  const { cache } = world()
  cache.set('one', 'a', { size: 9, until: later })
  cache.set('one', 'b', { size: 5, until: later })
  expect([cache.get('one'), cache.hasRoom(5), cache.hasRoom(6)]).toEqual(['b', true, false])
  cache.delete('one')
  expect([cache.get('one'), cache.hasRoom(10)]).toEqual([undefined, true])
  cache.set('two', 'c', { size: 10, until: later })
  cache.clear()
  expect([cache.get('two'), cache.hasRoom(10)]).toEqual([undefined, true])
})

test('it never holds more than its capacity, and is right about what it holds', () => {
  const step = fc.record({ key: fc.constantFrom('a', 'b', 'c', 'd'), size: fc.nat(6), wait: fc.nat(40_000) })
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
      const { clock, cache } = world()
      const kept = new Map<string, { value: string; size: number; until: number }>()
      for (const [at, { key, size, wait }] of steps.entries()) {
        clock.time += wait
        cache.set(key, String(at), { size, until: later })
        kept.set(key, { value: String(at), size, until: clock.time + 60_000 })
        const held = [...kept].filter(([name]) => cache.get(name) !== undefined)
        expect(held.reduce((sum, [, entry]) => sum + entry.size, 0)).toBeLessThanOrEqual(10)
        for (const [name, { value, until }] of held) {
          expect(cache.get(name)).toBe(value)
          expect(clock.time).toBeLessThan(until)
        }
      }
    }),
  )
})
