import { readFileSync } from 'node:fs'
import { type ConnectionOptions, rootCertificates } from 'node:tls'
import { Cluster, Redis, type RedisOptions } from 'ioredis'
import { GatehouseError } from '../kit/errors.ts'
import type { Log } from '../kit/log.ts'
import { parseRedisUrl, type RedisAddress } from './redis-url.ts'

/** Where Redis (or Valkey) is and how to talk to it. URLs are `redis://`, `rediss://` or `unix://`. */
export interface RedisSettings {
  readonly topology:
    | { readonly kind: 'single'; readonly url: string }
    | {
        readonly kind: 'sentinel'
        readonly urls: readonly string[]
        readonly masterName: string
        readonly password: string
      }
    | { readonly kind: 'cluster'; readonly urls: readonly string[] }
  /** Beat the URL's own. */
  readonly username: string
  readonly password: string
  /** A PEM file trusted besides the system's authorities; empty for none. */
  readonly caFile: string
  readonly skipTlsVerify: boolean
  /** After how many seconds the server closes an idle connection; 0: never. The connection is kept busy before. */
  readonly idleTimeoutSeconds: number
}

/** What a command may be given and answers. */
export type RedisValue = string | number | Buffer

/** An open connection, or connections, that come back by themselves. */
export interface RedisConnection {
  /**
   * One command; texts come back as buffers. Bounded in time, never queued while Redis is away.
   * @throws GatehouseError `store_unavailable`
   */
  command(name: string, ...values: readonly RedisValue[]): Promise<unknown>
  /** Whether there is a connection. */
  isUp(): boolean
  /** A further connection of the same kind to one server that speaks RESP2, for a subscription; none to a cluster. */
  duplicate(): Redis | undefined
  close(): Promise<void>
}

/** Longest a command may take, in milliseconds. */
const commandTimeout = 2000
/** A connection that owes an answer for so long is dead, in milliseconds. */
const socketTimeout = 5000

/** Opens Redis in the background; a server that is away is tried again for ever. @throws where the CA file is unreadable. */
export function openRedis(settings: RedisSettings, log: Log): RedisConnection {
  const client = openClient(settings)
  reportOutages(client, log)
  // Only the first connection is waited for: afterwards a command without one fails at once.
  let firstTry: Promise<unknown> | undefined = new Promise((resolve) => {
    client.once('ready', resolve)
    client.once('close', resolve)
  }).then(() => {
    firstTry = undefined
  })
  const { idleTimeoutSeconds } = settings
  const busy = idleTimeoutSeconds > 0 ? setInterval(keepBusy, idleTimeoutSeconds * 500).unref() : undefined

  function keepBusy() {
    client.call('ping').catch(() => undefined) // an outage is reported by its event
  }

  return {
    async command(name, ...values) {
      try {
        await firstTry
        return await client.callBuffer(name, ...values)
      } catch (cause) {
        throw new GatehouseError('store_unavailable', 'redis does not answer', { cause: withoutCommand(cause) })
      }
    },
    isUp: () => client.status === 'ready',
    duplicate: () =>
      client instanceof Redis
        ? client.duplicate({ protocol: 2, lazyConnect: true, autoResubscribe: false })
        : undefined,
    async close() {
      clearInterval(busy)
      client.disconnect()
    },
  }
}

/** ioredis puts the command with its values, secrets among them, on its errors. */
function withoutCommand(cause: unknown): unknown {
  return cause instanceof Error ? new Error(cause.message) : cause
}

function openClient({ topology, ...settings }: RedisSettings): Redis | Cluster {
  const common = {
    ...(settings.username === '' ? {} : { username: settings.username }),
    ...(settings.password === '' ? {} : { password: settings.password }),
    commandTimeout,
    socketTimeout,
    connectTimeout: socketTimeout,
    maxRetriesPerRequest: 0,
    autoResendUnfulfilledCommands: false,
    reconnectOnError: ({ message }: Error) => message.startsWith('READONLY'), // the primary has become a replica
    disableClientInfo: true,
  } satisfies RedisOptions
  const retry = (times: number) => Math.min(50 * times, 2000)
  const single = { ...common, enableOfflineQueue: false, retryStrategy: retry }
  if (topology.kind === 'single') return new Redis({ ...optionsOf(parseRedisUrl(topology.url), settings), ...single })
  const [first, ...others] = topology.urls.map(parseRedisUrl)
  if (!first) throw new GatehouseError('config', `the redis ${topology.kind} has no addresses`)
  const nodes = [first, ...others].map(({ host, port }) => ({ host, port }))
  const tls = tlsOf(first, settings)
  if (topology.kind === 'cluster') {
    return new Cluster(nodes, {
      enableOfflineQueue: false,
      clusterRetryStrategy: retry,
      redisOptions: { ...(first.password === undefined ? {} : { password: first.password }), ...common, ...tls },
      ...(first.isTls ? { dnsLookup: keepName } : {}),
    })
  }
  return new Redis({
    sentinels: nodes,
    name: topology.masterName,
    ...(topology.password === '' ? {} : { sentinelPassword: topology.password }),
    ...(first.isTls ? { ...tls, enableTLSForSentinelMode: true, sentinelTLS: tls.tls } : {}),
    sentinelRetryStrategy: retry,
    db: first.database,
    ...single,
  })
}

/** A certificate names a host, so a cluster's nodes are not turned into addresses. */
function keepName(name: string, callback: (error: null, address: string) => void): void {
  callback(null, name)
}

type TlsSettings = Pick<RedisSettings, 'caFile' | 'skipTlsVerify'>

function optionsOf(address: RedisAddress, settings: TlsSettings) {
  const { host, port, path, database, username, password } = address
  return {
    ...(path === undefined ? { host, port } : { path }),
    ...(username === undefined ? {} : { username }),
    ...(password === undefined ? {} : { password }),
    db: database,
    ...tlsOf(address, settings),
  }
}

function tlsOf({ isTls }: RedisAddress, { caFile, skipTlsVerify }: TlsSettings): { tls?: ConnectionOptions } {
  if (!isTls) return {}
  const ca = caFile === '' ? {} : { ca: [...rootCertificates, readFileSync(caFile, 'utf8')] }
  return { tls: { ...ca, rejectUnauthorized: !skipTlsVerify } }
}

/** One line when Redis goes away and one when it is back. */
function reportOutages(client: Redis | Cluster, log: Log): void {
  let isDown = false
  client.on('error', (cause: unknown) => {
    if (!isDown) log.error('redis does not answer', { cause: withoutCommand(cause) })
    isDown = true
  })
  client.on('ready', () => {
    if (isDown) log.info('redis answers again')
    isDown = false
  })
}
