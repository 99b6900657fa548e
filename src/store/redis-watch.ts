import type { Redis } from 'ioredis'
import type { Log } from '../kit/log.ts'
import type { RedisConnection } from './redis.ts'

/** Hears which keys change, whoever changes them. */
export interface RedisWatch {
  /** Whether changes are heard at present: never before the first connection, never in a cluster. */
  isLive(): boolean
  /** Calls `heard` with every key that is set, deleted or expires, and without one where any may have changed. */
  listen(heard: (key: string | undefined) => void): void
  close(): void
}

/** The channel of Redis' own invalidation messages. */
const channel = '__redis__:invalidate'

/**
 * Watches keys by their prefixes, by Redis' server-assisted client-side caching (`CLIENT TRACKING … BCAST`, Redis 6): on a
 * connection of its own, which is told of changes by any program. Where the server offers none of it, nothing is heard.
 */
export function watchRedis(redis: RedisConnection, prefixes: readonly string[], log: Log): RedisWatch {
  const listeners: ((key: string | undefined) => void)[] = []
  let client: Redis | undefined
  let isLive = false
  let isClosed = false

  function tell(key?: string) {
    for (const listener of listeners) listener(key)
  }

  async function start(connection: Redis) {
    try {
      const id = String(await connection.client('ID'))
      const tracked = prefixes.flatMap((prefix) => ['PREFIX', prefix])
      await connection.call('CLIENT', 'TRACKING', 'ON', 'REDIRECT', id, 'BCAST', ...tracked)
      await connection.subscribe(channel)
      isLive = true
      tell() // what happened while nobody listened
    } catch (error) {
      const reason = error instanceof Error ? error.message : 'unknown'
      log.warn('redis does not tell of changes, so every request asks it', { reason })
    }
  }

  async function open() {
    const connection = await redis.duplicate()
    if (!connection || isClosed) return
    client = connection
    connection.on('ready', () => void start(connection))
    connection.on('error', () => undefined) // the other connection reports outages
    connection.on('close', () => {
      if (isLive) tell()
      isLive = false
    })
    connection.on('messageBuffer', (_channel: Buffer, keys: unknown) => {
      if (!Array.isArray(keys)) return tell() // everything was flushed
      for (const key of keys) tell(String(key))
    })
    await connection.connect().catch(() => undefined) // tried again for ever
  }

  void open()

  return {
    isLive: () => isLive,
    listen: (heard) => void listeners.push(heard),
    close() {
      isClosed = true
      client?.disconnect()
    },
  }
}
