import { openRedisRecords } from '../../src/store/redis-records.ts'
import { describeWithRedis } from '../world/describe-with-redis.ts'
import { connectRedis } from '../world/redis.ts'
import { recordsSuite } from './records-suite.ts'

describeWithRedis('a real Redis', (redis) => {
  let worlds = 0
  const open = async (clock: { now(): number }) => {
    worlds += 1
    return openRedisRecords(connectRedis(redis()), { prefix: `world-${worlds}:`, clock })
  }
  recordsSuite('records in Redis', open, { expiresByItself: true })
})
