import type { Clock } from '../kit/clock.ts'
import { type Collection, never, type Records } from './records.ts'
import type { RedisConnection } from './redis.ts'
import { openRedisJournal } from './redis-journal.ts'
import { redisLife } from './redis-life.ts'
import type { RedisWatch } from './redis-watch.ts'

/**
 * Records in Redis: a hash per record, `<prefix><collection>:<id>`, with value `v`, uses `u`, version `n` and expiry `e`.
 * Expiry is judged by our clock, as everywhere; Redis removes what is dead. Every redemption is one script, and every
 * script touches one key, so a cluster will do.
 */
export function openRedisRecords(
  redis: RedisConnection,
  { prefix, clock, watch }: { readonly prefix: string; readonly clock: Clock; readonly watch?: RedisWatch },
): Records {
  return {
    collection: <Value>(name: string) => redisCollection<Value>(`${prefix}${name}:`, redis, clock),
    journal: <Entry>(name: string) => openRedisJournal<Entry>(`${prefix}journal:${name}`, { redis, clock, watch }),
    purge: async () => 0, // Redis does it by itself
  }
}

const isLive = `local e = redis.call('hget', KEYS[1], 'e')
if not e or tonumber(e) <= tonumber(ARGV[1]) then return nil end`

const expire = `if ARGV[4] ~= '' then redis.call('pexpire', KEYS[1], ARGV[4]) else redis.call('persist', KEYS[1]) end`

/** ARGV: now, value, expiry, milliseconds to live. */
const createScript = `local e = redis.call('hget', KEYS[1], 'e')
if e and tonumber(e) > tonumber(ARGV[1]) then return 0 end
redis.call('del', KEYS[1])
redis.call('hset', KEYS[1], 'v', ARGV[2], 'e', ARGV[3], 'u', 0, 'n', 0)
${expire}
return 1`

/** ARGV: now. */
const useScript = `${isLive}
return {redis.call('hget', KEYS[1], 'v'), redis.call('hincrby', KEYS[1], 'u', 1)}`

/** ARGV: now, value, expiry (empty: as it is), milliseconds to live, version. */
const updateScript = `if redis.call('hget', KEYS[1], 'n') ~= ARGV[5] then return 0 end
redis.call('hset', KEYS[1], 'v', ARGV[2])
redis.call('hincrby', KEYS[1], 'n', 1)
if ARGV[3] ~= '' then
redis.call('hset', KEYS[1], 'e', ARGV[3])
${expire}
end
return 1`

function redisCollection<Value>(prefix: string, redis: RedisConnection, clock: Clock): Collection<Value> {
  // The values of a collection are written by this very collection, so their type is what was put in.
  const parse = (text: unknown) => JSON.parse(String(text)) as Value
  const run = (script: string, id: string, ...values: readonly (string | number)[]) =>
    redis.command('eval', script, 1, prefix + id, clock.now(), ...values)
  const lifeOf = (expiresAt: number) => [expiresAt, expiresAt === never ? '' : redisLife(expiresAt, clock)]

  async function findLive(id: string) {
    const [value, expiresAt, version] = (await redis.command('hmget', prefix + id, 'v', 'e', 'n')) as unknown[]
    return value !== null && Number(expiresAt) > clock.now()
      ? { value: parse(value), version: String(version) }
      : undefined
  }

  return {
    async create(id, value, expiresAt) {
      return (await run(createScript, id, JSON.stringify(value), ...lifeOf(expiresAt))) === 1
    },
    find: async (id) => (await findLive(id))?.value,
    async use(id) {
      const used = (await run(useScript, id)) as readonly [unknown, number] | null
      return used ? { value: parse(used[0]), uses: used[1] } : undefined
    },
    async update(id, change, expiresAt) {
      for (;;) {
        const found = await findLive(id)
        if (!found) return undefined
        const value = change(found.value)
        if (value === undefined) return found.value
        const life = expiresAt === undefined ? ['', ''] : lifeOf(expiresAt)
        if ((await run(updateScript, id, JSON.stringify(value), ...life, found.version)) === 1) return value
      }
    },
    delete: async (id) => (await redis.command('del', prefix + id)) === 1,
  }
}
