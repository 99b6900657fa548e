import { fail } from '../../kit/errors.ts'
import { openRedisLeases } from '../../store/leases.ts'
import type { SessionStore, SessionStoreOptions } from './session-store.ts'
import { openTicketStore, type Vault } from './ticket-store.ts'

/** Sessions in Redis, byte for byte as oauth2-proxy keeps them there (pkg/sessions/redis). */
export function openRedisStore(options: SessionStoreOptions): SessionStore {
  const redis = options.redis ?? fail('config', 'the redis session store has no address')
  const vault: Vault = {
    async create(id, sealed, lifetimeSeconds) {
      await redis.command('set', id, sealed, 'EX', lifetimeSeconds)
    },
    async find(id) {
      const sealed = await redis.command('get', id)
      return sealed instanceof Buffer ? sealed : undefined
    },
    async replace(id, sealed, lifetimeSeconds) {
      await redis.command('set', id, sealed, 'EX', lifetimeSeconds, 'XX')
    },
    async delete(id) {
      await redis.command('del', id)
    },
  }
  const leases = openRedisLeases(redis, { suffix: '.lock', random: options.random })
  return openTicketStore(options, { vault, leases, isShared: true })
}
