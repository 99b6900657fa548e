import { describe, expect, test } from 'vitest'
import { silentLog } from '../../src/kit/log.ts'
import { systemRandom } from '../../src/kit/random.ts'
import { type ProxyConfig, proxyConfigSchema } from '../../src/proxy/config.ts'
import type { Session } from '../../src/proxy/session.ts'
import { cookieKey } from '../../src/proxy/sessions/cookie-secret.ts'
import type { KeptSession, SessionStore, SessionStoreOptions } from '../../src/proxy/sessions/session-store.ts'
import { signValue } from '../../src/proxy/sessions/signed-value.ts'
import { openSqlRecords } from '../../src/store/records.ts'
import { kubeflow, kubeflowSecret } from '../features/proxy-world.ts'
import { type TestClock, testClock } from '../world/clock.ts'
import { testDatabase } from '../world/database.ts'

/** What a store is opened with but for what only it needs. */
export interface StoreWorld {
  readonly clock: TestClock
  readonly options: SessionStoreOptions
}

const name = kubeflow.cookie_name
const keys = { secret: kubeflowSecret, key: cookieKey(kubeflowSecret) ?? Buffer.alloc(0) }

/** What every store of browser sessions must do. `open` answers the store of one replica; each call another of them. */
export function sessionStoreSuite(title: string, open: (world: StoreWorld) => SessionStore): void {
  describe(title, () => {
    async function world(settings: Partial<Record<keyof ProxyConfig, unknown>> = {}) {
      const clock = testClock()
      const config = proxyConfigSchema.parse({ ...kubeflow, ...settings })
      const records = openSqlRecords(await testDatabase(), clock)
      const options = { config, keys, records, clock, random: systemRandom, log: silentLog }
      const replica = () => open({ clock, options })
      const store = replica()
      return { clock, config, store, replica, session: sessionAt(clock.now()) }
    }

    async function kept(store: SessionStore, session: Session): Promise<KeptSession> {
      const found = await store.find(await store.create(session))
      if (!found) throw new Error('the session is not found')
      return found
    }

    test('a session is found by its text, whole, on every replica', async () => {
      const { store, replica, session } = await world()
      const text = await store.create(session)
      for (const one of [store, replica()]) {
        expect(await one.find(text)).toMatchObject({ text, session, endsAt: session.createdAt + 86_400_000 })
      }
    })

    test('two sign-ins of the same user have different texts', async () => {
      const { store, session } = await world()
      expect(await store.create(session)).not.toBe(await store.create(session))
    })

    test('it has the same id whoever looks, and no other session has it', async () => {
      const { store, replica, session } = await world()
      const [first, second] = [await kept(store, session), await kept(store, sessionAt(session.createdAt))]
      expect((await replica().find(first.text))?.id).toBe(first.id)
      expect(second.id).not.toBe(first.id)
    })

    test('it ends with its cookie', async () => {
      const { store, session, clock } = await world()
      const text = await store.create(session)
      clock.advance(86_399_000)
      expect(await store.find(text)).toBeDefined()
      clock.advance(1000)
      expect(await store.find(text)).toBeUndefined()
    })

    test('with cookie_expire 0 it lives as long as the browser, for a year at most', async () => {
      const { store, session, clock } = await world({ cookie_expire: '0' })
      const text = await store.create(session)
      clock.advance(300 * 86_400_000)
      expect((await store.find(text))?.endsAt).toBe(session.createdAt + 365 * 86_400_000)
    })

    test('what a refresh made of it is its latest on every replica', async () => {
      const { store, replica, session, clock } = await world()
      const one = await kept(store, session)
      clock.advance(60_000)
      const fresh = { ...session, createdAt: clock.now(), accessToken: 'second', refreshToken: 'second' }
      await store.replace(one, fresh)
      expect(await replica().latest(one)).toEqual(fresh)
    })

    test('until then its latest is itself', async () => {
      const { store, session } = await world()
      expect(await store.latest(await kept(store, session))).toEqual(session)
    })

    test('of many who want to refresh one session, one may; the next when it is done', async () => {
      const { store, replica, session } = await world()
      const one = await kept(store, session)
      const stores = [store, replica(), replica()]
      const leases = await Promise.all(Array.from({ length: 30 }, (_, at) => stores[at % 3]?.lease(one)))
      const [lease, ...others] = leases.filter((found) => found !== undefined)
      expect(others).toEqual([])
      expect(await lease?.extend()).toBe(true)
      await lease?.release()
      expect(await lease?.extend()).toBe(false)
      const next = await replica().lease(one)
      expect(next).toBeDefined()
      await lease?.release() // of what is not held any more: the other keeps it
      expect(await store.lease(one)).toBeUndefined()
      await next?.release()
    })

    test('two sessions are refreshed side by side', async () => {
      const { store, session } = await world()
      const leases = [
        await store.lease(await kept(store, session)),
        await store.lease(await kept(store, sessionAt(session.createdAt))),
      ]
      expect(leases.every(Boolean)).toBe(true)
    })

    test.each(hostileTexts)('%s is no session', async (_, change) => {
      const { store, session } = await world()
      const texts = change(await store.create(session))
      for (const text of texts) expect(await store.find(text)).toBeUndefined()
    })
  })
}

const validTicket = `v2.${Buffer.from(`${name}-${'0'.repeat(32)}`).toString('base64url')}.${'A'.repeat(22)}`
const seconds = Math.floor(Date.UTC(2026, 0, 1) / 1000)
const signed = (value: string, cookie = name, at = seconds) =>
  signValue(cookie, Buffer.from(value), { secret: keys.secret, seconds: at })

/** Cookie texts nobody of ours wrote (§5 cases 23 and 24 of the facts about oauth2-proxy). */
const hostileTexts: readonly [string, (text: string) => readonly string[]][] = [
  ['a text with one character changed', (text) => [0, 30, text.length - 5].map((at) => flipped(text, at))],
  ['a text moved to another time', (text) => [text.replace(/\|\d+\|/, `|${seconds + 1}|`)]],
  ['a text with digits moved from value to time', (text) => [text.replace(/(.{4})\|(\d+)\|/, '|$1$2|')]],
  ['a text of too few or too many parts', (text) => [text.split('|')[0] ?? '', `${text}|x`, `x|${text}`, '||', '']],
  ['a text in the other base64 alphabet', () => [signed('\xff\xfe\xfd').replace(/[-_]/g, '+')]],
  ['a signed text of another cookie', () => [signed(validTicket, `${name}_csrf`)]],
  ['a signed text from the future', () => [signed(validTicket, name, seconds + 360)]],
  ['a signed text that leads to nothing', () => [signed(validTicket), signed('x'), signed('v2..'), signed('a.b.c.d')]],
  ['a signed text that is cut off', (text) => [signed(text.slice(0, 60)), signed('\x04\x22\x4d\x18\x64\x40\xa7')]],
]

function flipped(text: string, at: number): string {
  return text.slice(0, at) + (text[at] === 'A' ? 'B' : 'A') + text.slice(at + 1)
}

function sessionAt(createdAt: number): Session {
  return {
    createdAt,
    expiresAt: createdAt + 3_600_000,
    accessToken: 'first',
    idToken: 'eyJhbGciOiJub25lIn0.e30.',
    refreshToken: 'first',
    nonce: new Uint8Array(systemRandom.bytes(32)),
    email: 'ada@example.com',
    user: 'ada',
    groups: ['ml', 'admins'],
    preferredUsername: 'ada',
  }
}
