import { fail } from '../../kit/errors.ts'
import type { Records } from '../../store/records.ts'
import { openRedis } from '../../store/redis.ts'
import { openRedisRecords } from '../../store/redis-records.ts'
import { watchRedis } from '../../store/redis-watch.ts'
import { sessionStores } from './index.ts'
import { openReadiness } from './redis-readiness.ts'
import { hasRedis, redisSettingsOf } from './redis-settings.ts'
import type { SessionStore, SessionStoreOptions } from './session-store.ts'

/** Where the proxy keeps what outlives a request. */
export interface SessionState {
  readonly store: SessionStore
  /** In Redis, where the configuration names one, so that every replica sees the same; else those given. */
  readonly records: Records
  /** Whether the store was there when it was last heard of. */
  isUp(): boolean
  /** Whether the store answers and takes what it is given. */
  isReady(): Promise<boolean>
  close(): Promise<void>
}

/** Opens the configured store; connections are made in the background. @throws GatehouseError `config` */
export function openSessionState(options: Omit<SessionStoreOptions, 'redis' | 'watch'>): SessionState {
  const { config, clock, random, log } = options
  const { cookie_name: name, session_store_type: type } = config
  const openStore = sessionStores[type] ?? fail('config', `unknown session_store_type \`${type}\``)
  if (!hasRedis(config)) {
    const { records } = options
    return { store: openStore(options), records, isUp: () => true, isReady: async () => true, async close() {} }
  }
  const redis = openRedis(redisSettingsOf(config), log)
  const watch = watchRedis(redis, [`${name}-`, `${name}:`], log)
  const records = openRedisRecords(redis, { prefix: `${name}:`, clock, watch })
  const isReady = openReadiness(redis, { name, random })
  isReady().then((ready) => ready || log.error('the redis session store cannot be used yet'))
  return {
    store: openStore({ ...options, records, redis, watch }),
    records,
    isUp: redis.isUp,
    isReady,
    async close() {
      watch.close()
      await redis.close()
    },
  }
}
