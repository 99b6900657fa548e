import type { Clock } from '../kit/clock.ts'
import { type Random, randomText } from '../kit/random.ts'
import type { Collection, Records } from './records.ts'
import type { RedisConnection } from './redis.ts'

/** The right to do something alone, over all replicas, until it is given back or not extended in time. */
export interface Lease {
  /** Holds it for another term; `false` where it was lost meanwhile. */
  extend(): Promise<boolean>
  release(): Promise<void>
}

/** Hands out leases. */
export interface Leases {
  /** `undefined` where someone else holds it. */
  acquire(id: string): Promise<Lease | undefined>
}

/** How long a lease lives if it is not extended, in milliseconds. */
export const leaseTerm = 5000

/** Leases as records. */
export function openRecordLeases(
  records: Records,
  { name, clock, random }: { readonly name: string; readonly clock: Clock; readonly random: Random },
): Leases {
  const leases: Collection<string> = records.collection(name)
  return {
    async acquire(id) {
      const token = randomText(random, 16)
      const renew = (term: number) =>
        leases.update(id, (holder) => (holder === token ? token : undefined), clock.now() + term)
      if (!(await leases.create(id, token, clock.now() + leaseTerm))) return undefined
      return {
        extend: async () => (await renew(leaseTerm)) === token,
        release: async () => void (await renew(0)),
      }
    },
  }
}

const extendScript = `if redis.call('get', KEYS[1]) == ARGV[1] then return redis.call('pexpire', KEYS[1], ARGV[2]) end
return 0`
const releaseScript = `if redis.call('get', KEYS[1]) == ARGV[1] then return redis.call('del', KEYS[1]) end
return 0`

/**
 * Leases as keys that hold a token, the id with a suffix: what oauth2-proxy's lock is (pkg/sessions/redis/lock.go, by
 * github.com/bsm/redislock), so that neither program takes what the other holds.
 */
export function openRedisLeases(
  redis: RedisConnection,
  { suffix, random }: { readonly suffix: string; readonly random: Random },
): Leases {
  return {
    async acquire(id) {
      const key = id + suffix
      const token = randomText(random, 16)
      if ((await redis.command('set', key, token, 'PX', leaseTerm, 'NX')) === null) return undefined
      return {
        extend: async () => (await redis.command('eval', extendScript, 1, key, token, leaseTerm)) === 1,
        release: async () => void (await redis.command('eval', releaseScript, 1, key, token)),
      }
    },
  }
}
