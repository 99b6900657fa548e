import { expect, test } from 'vitest'
import { systemClock } from '../../src/kit/clock.ts'
import { silentLog } from '../../src/kit/log.ts'
import { openRedisRecords } from '../../src/store/redis-records.ts'
import { watchRedis } from '../../src/store/redis-watch.ts'
import { describeWithRedis } from '../world/describe-with-redis.ts'
import { connectRedis } from '../world/redis.ts'
import { journalSuite } from './journal-suite.ts'

describeWithRedis('a real Redis', (redis) => {
  let worlds = 0
  journalSuite('a journal in Redis', async (clock) => {
    worlds += 1
    const prefix = `world-${worlds}:`
    return () => openRedisRecords(connectRedis(redis()), { prefix, clock })
  })
})

describeWithRedis('a real Redis that is watched', (redis) => {
  test('a replica is told when another appends', async () => {
    const open = () => {
      const connection = connectRedis(redis())
      const watch = watchRedis(connection, ['world:'], silentLog)
      return {
        watch,
        journal: openRedisRecords(connection, { prefix: 'world:', clock: systemClock, watch }).journal('news'),
      }
    }
    const [here, there] = [open(), open()]
    await expect.poll(() => there.watch.isLive()).toBe(true)
    const told = new Promise<void>((resolve) => there.journal.onAppend?.(resolve))
    await here.journal.append('a', systemClock.now() + 60_000)
    await told
    expect(await there.journal.readAfter(0)).toMatchObject([{ entry: 'a' }])
  })
})
