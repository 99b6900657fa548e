import { expect, test } from 'vitest'
import { testClock } from '../../test/world/clock.ts'
import { openKeyRing, type StoredKey } from './key-ring.ts'
import { signJwt } from './sign.ts'
import { verifyJwt } from './verify.ts'

const hour = 3_600_000
const schedule = { period: 6 * hour, publishAhead: hour, keepAfter: 24 * hour }

function memoryStore() {
  const keys: StoredKey[] = []
  return {
    keys,
    list: async () => [...keys].sort((a, b) => a.generation - b.generation),
    async add(key: StoredKey) {
      if (keys.some(({ generation }) => generation === key.generation)) return false
      keys.push(key)
      return true
    },
    async remove(generation: number) {
      keys.splice(0, keys.length, ...keys.filter((key) => key.generation !== generation))
    },
  }
}

test('a key is published an hour before it signs and verifies until its last token is dead', async () => {
  const clock = testClock()
  const ring = openKeyRing({ store: memoryStore(), clock, algorithm: 'ES256', schedule })
  const first = await ring.current()
  const published = async () => (await ring.jwks()).keys.map(({ kid }) => kid)
  expect(await published()).toEqual([first.kid])

  clock.advance(5 * hour)
  const [, upcoming] = await published()
  expect(upcoming).toBeDefined()
  expect((await ring.current()).kid).toBe(first.kid)

  clock.advance(hour)
  expect((await ring.current()).kid).toBe(upcoming)
  expect(await published()).toContain(first.kid)

  for (let hours = 0; hours < 23; hours += 1) {
    clock.advance(hour)
    expect(await published()).toContain(first.kid)
  }
  clock.advance(hour)
  expect(await published()).not.toContain(first.kid)
})

test('whatever the time, a token signed now verifies with the key set of an hour ago and of a day ahead', async () => {
  const clock = testClock()
  const ring = openKeyRing({ store: memoryStore(), clock, algorithm: 'ES256', schedule })
  let setOfAnHourAgo = await ring.verificationKeys()
  const tokens: { token: string; diesAt: number }[] = []
  for (let step = 0; step < 60; step += 1) {
    const exp = clock.now() / 1000 + 24 * 3600
    const token = await signJwt({ exp }, await ring.current())
    const expected = { nowSeconds: clock.now() / 1000, skewSeconds: 0 }
    expect(verifyJwt(token, setOfAnHourAgo, expected).ok).toBe(true)
    tokens.push({ token, diesAt: exp * 1000 })
    for (const old of tokens.filter(({ diesAt }) => diesAt > clock.now())) {
      expect(verifyJwt(old.token, await ring.verificationKeys(), expected).ok).toBe(true)
    }
    setOfAnHourAgo = await ring.verificationKeys()
    clock.advance(hour)
  }
})

test('replicas that share a store agree on every key', async () => {
  const clock = testClock()
  const store = memoryStore()
  const rings = [1, 2, 3].map(() => openKeyRing({ store, clock, algorithm: 'ES256', schedule }))
  for (let step = 0; step < 20; step += 1) {
    const kids = await Promise.all(rings.map(async (ring) => (await ring.current()).kid))
    expect(new Set(kids).size).toBe(1)
    clock.advance(hour)
  }
})

test('a ring opened again over its store signs with the same key', async () => {
  const clock = testClock()
  const store = memoryStore()
  const before = await openKeyRing({ store, clock, algorithm: 'ES256', schedule }).current()
  expect((await openKeyRing({ store, clock, algorithm: 'ES256', schedule }).current()).kid).toBe(before.kid)
})

test('after a long sleep the late successor is still published before it signs', async () => {
  const clock = testClock()
  const ring = openKeyRing({ store: memoryStore(), clock, algorithm: 'ES256', schedule })
  const first = await ring.current()
  clock.advance(100 * hour)
  expect((await ring.current()).kid).toBe(first.kid)
  expect((await ring.jwks()).keys).toHaveLength(2)
  clock.advance(hour)
  expect((await ring.current()).kid).not.toBe(first.kid)
})
