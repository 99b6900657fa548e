import { afterAll, beforeAll, describe } from 'vitest'
import { redisServer, startRedis, type TestRedis } from './redis.ts'

/** A suite against a real Redis; where none is installed it is skipped with a line that says what to install. */
export function describeWithRedis(name: string, suite: (redis: () => TestRedis) => void): void {
  if (redisServer === undefined) {
    const title = `skipped: ${name}: no \`redis-server\` on the PATH (install redis)`
    console.warn(title)
    describe.skip(title, () => suite(() => ({}) as TestRedis)) // never run
    return
  }
  describe(name, () => {
    let redis: TestRedis
    beforeAll(async () => {
      redis = await startRedis()
    })
    afterAll(() => redis.stop())
    suite(() => redis)
  })
}
