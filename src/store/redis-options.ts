import { readFileSync } from 'node:fs'
import { type ConnectionOptions, rootCertificates } from 'node:tls'
import type { RedisOptions } from 'ioredis'
import { GatehouseError } from '../kit/errors.ts'
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

/** What ioredis is opened with. */
export type ClientOptions = ReturnType<typeof clientOptionsOf>

/** Longest a command may take, in milliseconds. */
const commandTimeout = 2000
/** A connection that owes an answer for so long is dead, in milliseconds. */
const socketTimeout = 5000
const retry = (times: number) => Math.min(50 * times, 2000)

/** Bounded in time, tried again for ever, nothing queued while there is no connection. */
const bounds = {
  commandTimeout,
  socketTimeout,
  connectTimeout: socketTimeout,
  maxRetriesPerRequest: 0,
  autoResendUnfulfilledCommands: false,
  reconnectOnError: ({ message }: Error) => message.startsWith('READONLY'), // the primary has become a replica
  disableClientInfo: true,
} satisfies RedisOptions

/** Settings in the words of ioredis. @throws GatehouseError `config`, and where the CA file cannot be read. */
export function clientOptionsOf({ topology, ...settings }: RedisSettings) {
  const { username, password } = settings
  const common = {
    ...(username === '' ? {} : { username }),
    ...(password === '' ? {} : { password }),
    ...bounds,
  }
  const single = { ...common, enableOfflineQueue: false, retryStrategy: retry }
  if (topology.kind === 'single') {
    return { kind: 'single' as const, options: { ...addressOptions(parseRedisUrl(topology.url), settings), ...single } }
  }
  const [first, ...others] = topology.urls.map(parseRedisUrl)
  if (!first) throw new GatehouseError('config', `the redis ${topology.kind} has no addresses`)
  const nodes = [first, ...others].map(({ host, port }) => ({ host, port }))
  const tls = tlsOf(first, settings)
  if (topology.kind === 'cluster') {
    const redisOptions = { ...credentialsOf(first), ...common, ...tls }
    const named = first.isTls ? { dnsLookup: keepName } : {}
    return {
      kind: 'cluster' as const,
      nodes,
      options: { enableOfflineQueue: false, clusterRetryStrategy: retry, redisOptions, ...named },
    }
  }
  const options = {
    sentinels: nodes,
    name: topology.masterName,
    ...(topology.password === '' ? {} : { sentinelPassword: topology.password }),
    ...(tls.tls ? { ...tls, enableTLSForSentinelMode: true, sentinelTLS: tls.tls } : {}),
    sentinelRetryStrategy: retry,
    db: first.database,
    ...single,
  }
  return { kind: 'single' as const, options }
}

/** A certificate names a host, so a cluster's nodes are not turned into addresses. */
function keepName(name: string, callback: (error: null, address: string) => void): void {
  callback(null, name)
}

type TlsSettings = Pick<RedisSettings, 'caFile' | 'skipTlsVerify'>

function addressOptions(address: RedisAddress, settings: TlsSettings) {
  const { host, port, path, database } = address
  return {
    ...(path === undefined ? { host, port } : { path }),
    ...credentialsOf(address),
    db: database,
    ...tlsOf(address, settings),
  }
}

function credentialsOf({ username, password }: RedisAddress) {
  return { ...(username === undefined ? {} : { username }), ...(password === undefined ? {} : { password }) }
}

function tlsOf({ isTls }: RedisAddress, { caFile, skipTlsVerify }: TlsSettings): { tls?: ConnectionOptions } {
  if (!isTls) return {}
  const ca = caFile === '' ? {} : { ca: [...rootCertificates, readFileSync(caFile, 'utf8')] }
  return { tls: { ...ca, rejectUnauthorized: !skipTlsVerify } }
}
