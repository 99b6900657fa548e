import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'
import type { Kysely } from 'kysely'
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
  readonly database: Kysely<Tables>
  /** Stops timers and connections and closes the database. */
  close(): Promise<void>
}

const purgeInterval = 10 * 60_000

/** Opens the database, the parts a chain names, and the gateway in front of them. */
export async function openGatehouse(options: GatehouseOptions): Promise<Gatehouse> {
  const { chain, clock, random, log, outside } = options
  const database = await openDatabase(options.databaseFile)
  const records = openSqlRecords(database, clock)
  // The parts are found through this map, so that each can be given a `fetch` that reaches the ones opened after it.
  const parts: RunningParts = {}
  const fetch = loopbackFetch({ chain, parts, outside, random })
  const dependencies = { ...options, database, records, fetch }
  await openParts(parts, dependencies)
  const gateway = openChainGateway(parts, dependencies)

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
    database,
    async close() {
      clearInterval(purging)
      await gateway.close()
      for (const part of Object.values(parts)) await part?.close?.()
      await database.destroy()
    },
  }
}

/** Opens the database file and brings it to the newest schema. */
export async function openDatabase(file: string): Promise<Kysely<Tables>> {
  const database = openSqlite<Tables>(file)
  await migrate(database, { ...storeMigrations, ...realmMigrations })
  return database
}
