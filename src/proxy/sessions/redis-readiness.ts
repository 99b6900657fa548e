import { GatehouseError } from '../../kit/errors.ts'
import type { Log } from '../../kit/log.ts'
import type { Random } from '../../kit/random.ts'
import { openRedis, type RedisConnection } from '../../store/redis.ts'
import type { ProxyConfig } from '../config.ts'
import { hasRedis, redisSettingsOf } from './redis-settings.ts'

/**
 * Whether Redis takes a value and gives it back, tried until it once did (oauth2-proxy pkg/sessions/redis does so at
 * start, under the same key), and answers since.
 */
export function openReadiness(redis: RedisConnection, { name, random }: { name: string; random: Random }) {
  let wasProven = false
  return async (): Promise<boolean> => {
    try {
      if (wasProven) await redis.command('ping')
      else wasProven = await takesValues(redis, keyOf(name, random))
      return wasProven
    } catch {
      return false
    }
  }
}

/**
 * Tries the configured Redis once, if there is one. @throws GatehouseError `store_unavailable` with the reason where it is
 * not there or cannot be used
 */
export async function checkRedis(config: ProxyConfig, { random, log }: { random: Random; log: Log }): Promise<void> {
  if (!hasRedis(config)) return
  const redis = openRedis(redisSettingsOf(config), log)
  try {
    await takesValues(redis, keyOf(config.cookie_name, random))
  } catch (cause) {
    const reason = cause instanceof GatehouseError ? cause.detail : undefined
    throw new GatehouseError('store_unavailable', `redis cannot be used: ${reason ?? 'unknown reason'}`, { cause })
  } finally {
    await redis.close()
  }
}

function keyOf(name: string, random: Random): string {
  return `${name}-healthcheck-${random.bytes(16).toString('hex')}`
}

async function takesValues(redis: RedisConnection, key: string): Promise<boolean> {
  await redis.command('set', key, 'healthcheck', 'EX', 60)
  const found = await redis.command('get', key)
  await redis.command('del', key)
  return String(found) === 'healthcheck'
}
