import type { Random } from '../../kit/random.ts'
import type { RedisConnection } from '../../store/redis.ts'

/**
 * Whether Redis takes a value and gives it back, tried until it once did (oauth2-proxy pkg/sessions/redis does so at
 * start, under the same key), and answers since.
 */
export function openReadiness(redis: RedisConnection, { name, random }: { name: string; random: Random }) {
  let wasProven = false
  return async (): Promise<boolean> => {
    try {
      if (wasProven) await redis.command('ping')
      else wasProven = await takesValues(redis, `${name}-healthcheck-${random.bytes(16).toString('hex')}`)
      return wasProven
    } catch {
      return false
    }
  }
}

async function takesValues(redis: RedisConnection, key: string): Promise<boolean> {
  await redis.command('set', key, 'healthcheck', 'EX', 60)
  const found = await redis.command('get', key)
  await redis.command('del', key)
  return String(found) === 'healthcheck'
}
