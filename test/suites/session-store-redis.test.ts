import { openRedisStore } from '../../src/proxy/sessions/redis.ts'
import { connectRedis, describeWithRedis } from '../world/redis.ts'
import { sessionStoreSuite } from './session-store.ts'

describeWithRedis('a real Redis', (redis) => {
  sessionStoreSuite('sessions in Redis', ({ options }) => openRedisStore({ ...options, redis: connectRedis(redis()) }))
})
