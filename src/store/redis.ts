import type { Cluster, Redis } from 'ioredis'
import { GatehouseError } from '../kit/errors.ts'
import type { Log } from '../kit/log.ts'
import { type ClientOptions, clientOptionsOf, type RedisSettings } from './redis-options.ts'

/** What a command may be given. */
export type RedisValue = string | number | Buffer

/** An open connection, or connections, that come back by themselves. */
export interface RedisConnection {
  /**
   * One command; texts come back as buffers. Bounded in time, never queued while Redis is away.
   * @throws GatehouseError `store_unavailable`
   */
  command(name: string, ...values: readonly RedisValue[]): Promise<unknown>
  /** Whether there is a connection, as far as one has been tried. */
  isUp(): boolean
  /** A further connection to one server, in RESP2, for a subscription; not opened yet. None to a cluster. */
  duplicate(): Promise<Redis | undefined>
  close(): Promise<void>
}

/**
 * Opens Redis in the background; a server that is away is tried again for ever.
 * @throws GatehouseError `config`, and where the CA file cannot be read
 */
export function openRedis(settings: RedisSettings, log: Log): RedisConnection {
  const opening = openClient(clientOptionsOf(settings), log)
  let client: Redis | Cluster | undefined
  // Only the first connection is waited for: afterwards a command without one fails at once.
  let firstTry: Promise<void> | undefined = opening.then(async (opened) => {
    client = opened
    await readyOrRefused(opened)
    firstTry = undefined
  })
  const { idleTimeoutSeconds } = settings
  const keepBusy = () => client?.call('ping').catch(() => undefined) // an outage is reported by its event
  const busy = idleTimeoutSeconds > 0 ? setInterval(keepBusy, idleTimeoutSeconds * 500).unref() : undefined

  return {
    async command(name, ...values) {
      try {
        if (firstTry) await firstTry
        return await client?.callBuffer(name, ...values)
      } catch (cause) {
        throw new GatehouseError('store_unavailable', 'redis does not answer', { detail: reasonOf(cause) })
      }
    },
    isUp: () => firstTry !== undefined || client?.status === 'ready',
    async duplicate() {
      const opened = await opening
      if (!('duplicate' in opened) || 'nodes' in opened) return undefined
      return opened.duplicate({ protocol: 2, lazyConnect: true, autoResubscribe: false })
    },
    async close() {
      clearInterval(busy)
      ;(await opening).disconnect()
    },
  }
}

/** The library takes a while to load, so only who has a Redis loads it. */
async function openClient(given: ClientOptions, log: Log): Promise<Redis | Cluster> {
  const ioredis = await import('ioredis')
  const client =
    given.kind === 'cluster' ? new ioredis.Cluster(given.nodes, given.options) : new ioredis.Redis(given.options)
  reportOutages(client, log)
  return client
}

function readyOrRefused(client: Redis | Cluster): Promise<void> {
  return new Promise((resolve) => {
    client.once('ready', () => resolve())
    client.once('close', () => resolve())
  })
}

/** ioredis puts the command with its values, secrets among them, on its errors, and Redis some of it in the message. */
function reasonOf(cause: unknown): string {
  return cause instanceof Error ? cause.message.replace(/, with args.*/s, '') : 'unknown'
}

/** One line when Redis goes away and one when it is back. */
function reportOutages(client: Redis | Cluster, log: Log): void {
  let isDown = false
  const report = (reason: string) => {
    if (!isDown) log.error('redis does not answer', { reason })
    isDown = true
  }
  client.on('error', (cause: unknown) => report(reasonOf(cause)))
  client.on('reconnecting', () => report('the connection was closed'))
  client.on('ready', () => {
    if (isDown) log.info('redis answers again')
    isDown = false
  })
}
