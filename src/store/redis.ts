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
  let outage: string | undefined
  const opening = openClient(clientOptionsOf(settings))
  let client: Redis | Cluster | undefined
  // Only the first connection is waited for: afterwards a command without one fails at once.
  let firstTry: Promise<void> | undefined = opening.then(async (opened) => {
    client = opened
    reportOutages(opened, log, (reason) => {
      outage = reason
    })
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
        throw new GatehouseError('store_unavailable', 'redis does not answer', { detail: outage ?? reasonOf(cause) })
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
async function openClient(given: ClientOptions): Promise<Redis | Cluster> {
  const { Cluster, Redis } = await import('ioredis')
  return given.kind === 'cluster' ? new Cluster(given.nodes, given.options) : new Redis(given.options)
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

/** One line when Redis goes away and one when it is back; `tell` is told why it is away, and when it is not. */
function reportOutages(client: Redis | Cluster, log: Log, tell: (reason: string | undefined) => void): void {
  let isDown = false
  const report = (reason: string) => {
    if (!isDown) log.error('redis does not answer', { reason })
    isDown = true
    tell(reason)
  }
  client.on('error', (cause: unknown) => report(reasonOf(cause)))
  client.on('reconnecting', () => isDown || report('the connection was closed'))
  client.on('ready', () => {
    if (isDown) log.info('redis answers again')
    isDown = false
    tell(undefined)
  })
}
