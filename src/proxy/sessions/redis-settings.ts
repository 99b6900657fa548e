import type { RedisSettings } from '../../store/redis-options.ts'
import type { ProxyConfig } from '../typed-config.ts'

/** Whether the configuration names a Redis. The cookie store then shares its records through it, too. */
export function hasRedis(config: ProxyConfig): boolean {
  return config.redis_connection_url !== '' || config.redis_use_sentinel || config.redis_use_cluster
}

/** The configuration's `redis_*` keys as settings. */
export function redisSettingsOf(config: ProxyConfig): RedisSettings {
  return {
    topology: topologyOf(config),
    username: config.redis_username,
    password: config.redis_password,
    caFile: config.redis_ca_path,
    skipTlsVerify: config.redis_insecure_skip_tls_verify,
    idleTimeoutSeconds: config.redis_connection_idle_timeout,
  }
}

function topologyOf(config: ProxyConfig): RedisSettings['topology'] {
  if (config.redis_use_sentinel) {
    const { redis_sentinel_connection_urls: urls, redis_sentinel_master_name: masterName } = config
    return { kind: 'sentinel', urls, masterName, password: config.redis_sentinel_password }
  }
  if (config.redis_use_cluster) return { kind: 'cluster', urls: config.redis_cluster_connection_urls }
  return { kind: 'single', url: config.redis_connection_url }
}

/** The same configuration with every session in its cookie, and no Redis. */
export function withCookieSessions(config: ProxyConfig): ProxyConfig {
  const noRedis = { redis_connection_url: '', redis_use_sentinel: false, redis_use_cluster: false }
  return { ...config, ...noRedis, session_store_type: 'cookie' }
}
