import { expect, test } from 'vitest'
import { GenerationCache } from './cache.ts'

test('it never holds more than twice its capacity and keeps what is used', () => {
  const cache = new GenerationCache<number>(10)
  cache.set('kept', 0)
  for (let index = 0; index < 1000; index += 1) {
    cache.set(`k${index}`, index)
    expect(cache.get('kept')).toBe(0)
  }
  const held = Array.from({ length: 1000 }, (_, index) => cache.get(`k${index}`)).filter((value) => value !== undefined)
  expect(held.length).toBeLessThanOrEqual(20)
})

test('a deleted entry is gone from both generations', () => {
  const cache = new GenerationCache<number>(1)
  cache.set('a', 1)
  cache.set('b', 2)
  cache.delete('a')
  cache.delete('b')
  expect([cache.get('a'), cache.get('b')]).toEqual([undefined, undefined])
})

test('clear forgets the stale ones only', () => {
  const cache = new GenerationCache<number>(2)
  for (const value of [1, 2, 3]) cache.set(`k${value}`, value)
  cache.clear((value) => value % 2 === 1)
  expect([cache.get('k1'), cache.get('k2'), cache.get('k3')]).toEqual([undefined, 2, undefined])
})
