import { openRedisRecords } from '../../src/store/redis-records.ts'
import { connectRedis, describeWithRedis } from '../world/redis.ts'
import { journalSuite } from './journal-suite.ts'

describeWithRedis('a real Redis', (redis) => {
  let worlds = 0
  journalSuite('a journal in Redis', async (clock) => {
    worlds += 1
    const prefix = `world-${worlds}:`
    return () => openRedisRecords(connectRedis(redis()), { prefix, clock })
  })
})
