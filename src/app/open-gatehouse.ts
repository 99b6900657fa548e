import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'
import type { Kysely } from 'kysely'
import type { ChainConfig } from '../config/chain.ts'
import { GatehouseError } from '../kit/errors.ts'
import type { ProxyPart } from '../proxy/open-proxy.ts'
import { realmMigrations } from '../realm/migrations.ts'
import { migrate } from '../store/migrate.ts'
import { storeMigrations } from '../store/migrations.ts'
import { openSqlRecords } from '../store/records.ts'
import { openSqlite } from '../store/sqlite.ts'
import { loopbackFetch } from './loopback.ts'
import { pageUnderOurName } from './one-name.ts'
import { openChainGateway } from './open-chain-gateway.ts'
import { openParts } from './open-parts.ts'
import type { GatehouseOptions, RunningParts, Tables } from './parts.ts'

/** A running chain: every part opened and wired, answering through the gateway. */
export interface Gatehouse {
  handle(request: IncomingMessage, response: ServerResponse): void
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void
  /**
   * Policies, routes and token rules of `chain` hold from the next request on; what else differs waits for a restart.
   * @returns the names of what waits.
   */
  reload(chain: ChainConfig): readonly string[]
  readonly database: Kysely<Tables>
  /** The check, for listeners of its own; absent where the chain has no proxy. */
  readonly proxy: ProxyPart | undefined
  /** Stops timers and connections and closes the database. */
  close(): Promise<void>
}

const purgeInterval = 10 * 60_000

/** Opens the database, the parts a chain names, and the gateway in front of them. */
export async function openGatehouse(options: GatehouseOptions): Promise<Gatehouse> {
  const { clock, random, log, outside } = options
  // Read at each request, so that a reload changes it under everybody.
  const hosts = new Map(options.chain.hosts)
  const chain = { ...options.chain, hosts }
  const database = await openDatabase(options.databaseFile)
  const records = openSqlRecords(database, clock)
  // The parts are found through this map, so that each can be given a `fetch` that reaches the ones opened after it.
  const parts: RunningParts = {}
  const fetch = loopbackFetch({ chain, parts, outside, random })
  const dependencies = { ...options, chain, database, records, fetch }
  await openParts(parts, dependencies)
  const gateway = openChainGateway(parts, dependencies)
  gateway.keepKeysFresh()

  const purge = () =>
    records.purge().catch((error: unknown) => log.warn('expired records could not be removed', { error }))
  const purging = setInterval(() => void purge(), purgeInterval).unref()
  return {
    handle(request, response) {
      const location = pageUnderOurName(request, chain.publicUrl)
      if (location === undefined) gateway.handle(request, response)
      else response.writeHead(302, { location }).end()
    },
    upgrade: (request, socket, head) => gateway.upgrade(request, socket, head),
    reload(next) {
      const waiting = waitingForRestart(options.chain, next)
      if (waiting.includes('extension providers')) return [...waiting, 'policies and routes']
      hosts.clear()
      for (const [name, part] of next.hosts) hosts.set(name, part)
      gateway.reload(next.gateway)
      return waiting
    },
    database,
    proxy: parts.proxy,
    async close() {
      clearInterval(purging)
      await gateway.close()
      for (const part of Object.values(parts)) await part?.close?.()
      await database.destroy()
    },
  }
}

/** What differs between two chains and is read only when they are opened. */
function waitingForRestart(running: ChainConfig, next: ChainConfig): string[] {
  const differs = (a: unknown, b: unknown) => JSON.stringify(a) !== JSON.stringify(b)
  const parts = (['realm', 'broker', 'proxy'] as const).filter((part) => differs(running[part], next[part]))
  const servicesOf = ({ gateway }: ChainConfig) =>
    gateway.meshConfig.extensionProviders.map(({ name, service }) => [name, service])
  return differs(servicesOf(running), servicesOf(next)) ? [...parts, 'extension providers'] : parts
}

/**
 * Opens the database file and brings it to the newest schema.
 * @throws GatehouseError `data_directory` where it is none, or one of a newer Gatehouse.
 */
export async function openDatabase(file: string): Promise<Kysely<Tables>> {
  const database = openSqlite<Tables>(file)
  try {
    await migrate(database, { ...storeMigrations, ...realmMigrations })
    return database
  } catch (cause) {
    await database.destroy()
    const { message } = cause instanceof Error && cause.cause instanceof Error ? cause.cause : (cause as Error)
    const advice = 'put a copy back, or start over with --reset'
    throw new GatehouseError('data_directory', `the database \`${file}\` cannot be used (${message}); ${advice}`, {
      cause,
    })
  }
}
