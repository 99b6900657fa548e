import { GatehouseError } from '../kit/errors.ts'

/** What a Redis URL says. */
export interface RedisAddress {
  readonly host: string
  readonly port: number
  /** A Unix socket, in place of host and port. */
  readonly path?: string
  readonly isTls: boolean
  readonly username?: string
  readonly password?: string
  readonly database: number
}

/**
 * Reads `redis://[user:password@]host[:port][/database]`, the same with `rediss://` for TLS, and
 * `unix://[user:password@]/path[?db=N]`, as go-redis' `ParseURL` does; the user and password of an URL may be
 * percent-encoded. @throws GatehouseError `config` without the URL, which may hold a password.
 */
export function parseRedisUrl(text: string): RedisAddress {
  const url = URL.canParse(text) ? new URL(text) : undefined
  const protocol = url?.protocol ?? ''
  if (!url || !['redis:', 'rediss:', 'unix:'].includes(protocol)) {
    throw new GatehouseError('config', 'a redis URL must start with `redis://`, `rediss://` or `unix://`')
  }
  const database = databaseOf(url, protocol)
  if (database === undefined) throw new GatehouseError('config', 'the path of a redis URL must be a database number')
  return {
    host: url.hostname.replace(/^\[|\]$/g, '') || 'localhost',
    port: Number(url.port || 6379),
    ...(protocol === 'unix:' ? { path: decodeURIComponent(url.pathname) } : {}),
    isTls: protocol === 'rediss:',
    ...(url.username === '' ? {} : { username: decodeURIComponent(url.username) }),
    ...(url.password === '' ? {} : { password: decodeURIComponent(url.password) }),
    database,
  }
}

function databaseOf(url: URL, protocol: string): number | undefined {
  const inPath = protocol === 'unix:' ? '' : url.pathname.replace(/^\/|\/$/g, '')
  const text = inPath || url.searchParams.get('db') || '0'
  return /^\d{1,4}$/.test(text) ? Number(text) : undefined
}
