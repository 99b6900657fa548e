import { openRedisStore } from '../../src/proxy/sessions/redis.ts'
import { describeWithRedis } from '../world/describe-with-redis.ts'
import { connectRedis } from '../world/redis.ts'
import { sessionStoreSuite } from './session-store.ts'

describeWithRedis('a real Redis', (redis) => {
  sessionStoreSuite('sessions in Redis', ({ options }) => openRedisStore({ ...options, redis: connectRedis(redis()) }))
})
