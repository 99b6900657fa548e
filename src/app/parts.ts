import type { Kysely } from 'kysely'
import type { ChainConfig } from '../config/chain.ts'
import type { ChainSecrets } from '../config/chain-secrets.ts'
import type { ChainPart } from '../config/stock.ts'
import type { Observer } from '../gateway/observer.ts'
import type { Fetch, Part } from '../http/part.ts'
import type { Clock } from '../kit/clock.ts'
import type { Log } from '../kit/log.ts'
import type { Random } from '../kit/random.ts'
import type { ProxyPart } from '../proxy/open-proxy.ts'
import type { RealmTables } from '../realm/tables.ts'
import type { Records, RecordTables } from '../store/records.ts'
import type { SigningKeyTables } from '../store/signing-keys.ts'

/** Every table of the all-in-one's database. */
export type Tables = RealmTables & RecordTables & SigningKeyTables

/** What a chain is opened with. */
export interface GatehouseOptions {
  readonly chain: ChainConfig
  /** The SQLite file of all durable state. */
  readonly databaseFile: string
  readonly secrets: ChainSecrets
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
  /** `fetch` for everything that is not ours. */
  readonly outside: Fetch
  /** Reaches the Kubernetes API server. `outside` unless told. */
  readonly clusterFetch?: Fetch
  /** Told of the requests the gateway refuses. */
  readonly observer?: Observer
}

/** The parts that run in this process, by name. */
export type RunningParts = { [Name in Exclude<ChainPart, 'proxy'>]?: Part } & { proxy?: ProxyPart }

/** What the parts are opened with: the chain and what every part is given. */
export interface PartDependencies extends GatehouseOptions {
  readonly database: Kysely<Tables>
  readonly records: Records
  /** Reaches the other parts, and the world. */
  readonly fetch: Fetch
}
