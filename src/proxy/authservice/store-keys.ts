import { dirname, join } from 'node:path'
import type { ProxyConfig } from '../typed-config.ts'
import type { Complain, Lookup } from './lookup.ts'

/** Where the original keeps its bolt file. */
const usualPath = '/var/lib/authservice/data.db'

/**
 * Where sessions are kept. A bolt file is neither read nor touched: beside it lies a database of ours. The original's
 * Redis is used as it is; its sessions have another format, so everybody signs in once.
 */
export function storeKeys(value: Lookup, error: Complain): Partial<ProxyConfig> {
  const type = value('SESSION_STORE_TYPE', 'boltdb')
  if (type === 'redis') return redisKeys(value, error)
  if (type !== 'boltdb') error('SESSION_STORE_TYPE', `unknown store \`${type}\``, 'write boltdb or redis')
  return { session_store_type: 'sqlite', database_file: join(dirname(boltFile(value)), 'gatehouse.db') }
}

/** The original's bolt file. */
export function boltFile(value: Lookup): string {
  return value('SESSION_STORE_PATH') || value('STORE_PATH', usualPath)
}

function redisKeys(value: Lookup, error: Complain): Partial<ProxyConfig> {
  const [address, database] = [
    value('SESSION_STORE_REDIS_ADDR', '127.0.0.1:6379'),
    value('SESSION_STORE_REDIS_DB', '0'),
  ]
  if (!/^\d{1,4}$/.test(database)) error('SESSION_STORE_REDIS_DB', `must be a number, got \`${database}\``)
  return {
    session_store_type: 'redis',
    redis_connection_url: `redis://${address}/${database}`,
    redis_password: value('SESSION_STORE_REDIS_PWD'),
  }
}
