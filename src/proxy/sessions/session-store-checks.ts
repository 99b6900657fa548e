import { GatehouseError } from '../../kit/errors.ts'
import { parseRedisUrl } from '../../store/redis-url.ts'
import type { ProxyKeyName } from '../keys.ts'
import type { ProxyConfig } from '../typed-config.ts'
import { sessionStores } from './index.ts'
import { hasRedis } from './redis-settings.ts'

type Report = (key: ProxyKeyName, message: string, fix: string) => void

/** Everything about `session_store_type` and the `redis_*` keys that would not work. */
export function checkSessionStore(config: ProxyConfig, error: Report): void {
  const { session_store_type: type } = config
  if (!Object.hasOwn(sessionStores, type)) {
    const known = Object.keys(sessionStores).map((name) => `\`${name}\``)
    error('session_store_type', `unknown store \`${type}\``, `write one of ${known.join(', ')}`)
  }
  if (type === 'redis' && !hasRedis(config)) {
    error('redis_connection_url', 'is missing, and session_store_type is `redis`', 'write redis://host:6379')
  }
  if (config.redis_use_sentinel && config.redis_use_cluster) {
    error('redis_use_cluster', 'cannot be combined with redis_use_sentinel', 'keep one of them')
  }
  if (config.redis_use_sentinel && config.redis_sentinel_master_name === '') {
    error('redis_sentinel_master_name', 'is missing, and redis_use_sentinel is true', "write the primary's name")
  }
  checkUrls(config, error)
}

function checkUrls(config: ProxyConfig, error: Report): void {
  const sentinels = config.redis_use_sentinel ? config.redis_sentinel_connection_urls : undefined
  const nodes = config.redis_use_cluster ? config.redis_cluster_connection_urls : undefined
  const single = sentinels || nodes || config.redis_connection_url === '' ? undefined : [config.redis_connection_url]
  const lists = {
    redis_connection_url: single,
    redis_sentinel_connection_urls: sentinels,
    redis_cluster_connection_urls: nodes,
  }
  for (const [key, urls] of Object.entries(lists) as [ProxyKeyName, readonly string[] | undefined][]) {
    // keys of the literal
    if (urls?.length === 0) error(key, 'is missing', 'write redis://host:port for each')
    for (const [index, url] of (urls ?? []).entries()) {
      const problem = problemOf(url)
      if (problem !== undefined) error(key, `entry ${index + 1}: ${problem}`, 'write redis://host:6379')
    }
  }
}

function problemOf(url: string): string | undefined {
  try {
    parseRedisUrl(url)
    return undefined
  } catch (cause) {
    return cause instanceof GatehouseError ? cause.message : 'unreadable'
  }
}
