import { dirname } from 'node:path'
import process from 'node:process'
import type { ChainConfig } from '../config/chain.ts'
import { openDecisionRing } from '../gateway/decision-ring.ts'
import type { GatewayMode } from '../gateway/gateway-mode.ts'
import { type Clock, systemClock } from '../kit/clock.ts'
import { type Log, type LogLevel, openLog } from '../kit/log.ts'
import type { Problem } from '../kit/problems.ts'
import { systemRandom } from '../kit/random.ts'
import { openRealmUsers } from '../realm/users.ts'
import { withApiServer } from './api-server-fetch.ts'
import { openClusterFetch } from './cluster-fetch.ts'
import { openDecisionLog } from './decision-log.ts'
import { addDemoUsers, type NewDemoUser } from './demo-users.ts'
import { type GrpcListener, openGrpcListener } from './listening/grpc-listener.ts'
import { listenOnFreePort } from './listening/listen-on-free-port.ts'
import { type Gatehouse, openGatehouse } from './open-gatehouse.ts'
import { openServer } from './open-server.ts'
import { openOutsideFetch } from './outside-fetch.ts'
import { type ChainPlan, type ChainSource, planChain } from './plan-chain.ts'
import { settleMemory } from './settle-memory.ts'
import { fingerprint, type WatchedFiles, watchFiles } from './watch-files.ts'

/** What `gatehouse up` was asked for. */
export interface StartOptions {
  readonly source: ChainSource
  /** The first port to try; 0 for any. Without one: that of a local `publicUrl`, else 8080. */
  readonly port: number | undefined
  readonly dataDirectory: string
  /** The origin browsers use; the local address unless given. */
  readonly publicUrl: string | undefined
  /** How the gateway decides; `native` unless told. A `gatehouse.yaml` says so itself. */
  readonly gatewayMode?: GatewayMode | undefined
  readonly reset: boolean
  readonly logLevel: LogLevel
}

/** A chain that listens. */
export interface RunningGatehouse {
  readonly publicUrl: string
  /** The port asked for, and the one that was free. */
  readonly port: { readonly wanted: number; readonly used: number }
  readonly chain: ChainConfig
  /** Things about the configuration that deserve a second look. */
  readonly warnings: readonly Problem[]
  /** Users made by this run, with their passwords in clear: to be printed once. */
  readonly newUsers: readonly NewDemoUser[]
  /** E-mails of the users that were there before, and of those the files bring. */
  readonly knownUsers: readonly string[]
  /** Where database and secrets are. */
  readonly dataDirectory: string
  /** The realm whose users sign in here, and whether the database holds others beside it. */
  readonly realm: { readonly name: string; readonly isOnly: boolean } | undefined
  close(): Promise<void>
}

const graceMilliseconds = 5000
const defaultPort = 8080

/**
 * Starts a whole chain on one listener.
 * @throws ConfigError with every problem of its files; GatehouseError where port or data directory cannot be had.
 */
export async function startGatehouse(options: StartOptions): Promise<RunningGatehouse> {
  const clock = systemClock
  const log = openLog({
    level: options.logLevel,
    now: () => clock.now(),
    write: (line) => process.stderr.write(`${line}\n`),
  })
  const since = options.source.kind === 'default' ? '' : fingerprint(options.source.path)
  const plan = planChain(options.source, { ...options, random: systemRandom })
  const outside = openOutsideFetch()
  const listener = openServer({ log: log.with({ part: 'listener' }) })
  const wanted = options.port ?? localPort(plan.publicUrl) ?? defaultPort
  // Only a chain with a public address of its own is for other machines.
  const host = isLocalUrl(plan.publicUrl) ? 'localhost' : undefined
  // An address that is settled leads to one port: on another, nobody would come by.
  const isExact = plan.publicUrl !== undefined
  const used = await listenOnFreePort(listener.server, { port: wanted, host, isExact })
  try {
    const publicUrl = plan.publicUrl ?? localUrl(used)
    const { chain, warnings } = plan.chainAt(publicUrl)
    const ring = openDecisionRing({ clock })
    const gatehouse = await openGatehouse({
      chain,
      databaseFile: plan.data.databaseFile,
      secrets: plan.data.secrets,
      clock,
      random: systemRandom,
      log: ring.overhear(log),
      outside: withApiServer(outside.fetch, { reach: (input, init) => fetch(input, init) }),
      ...(chain.proxy ? { clusterFetch: openClusterFetch(chain.proxy) } : {}),
      observer: ring.observer,
    })
    const grpc = await openCheckListener(chain, gatehouse, log)
    const directory = dirname(plan.data.databaseFile)
    const decisions = openDecisionLog({ ring, directory, chain: { source: options.source, publicUrl }, log })
    const users = await tellUsers(plan, { chain, gatehouse, clock })
    listener.serve(gatehouse, { isBehindProxies: chain.gateway.meshConfig.numTrustedProxies > 0 })
    const watched = watchChain(plan, { since, publicUrl, gatehouse, log })
    settleMemory()
    return {
      publicUrl,
      port: { wanted, used },
      chain,
      warnings,
      dataDirectory: dirname(plan.data.databaseFile),
      ...users,
      async close() {
        watched?.close()
        await Promise.all([listener.close(graceMilliseconds), grpc?.close(graceMilliseconds)])
        await gatehouse.close()
        await outside.close()
        await decisions.close()
      },
    }
  } catch (error) {
    await listener.close(0)
    throw error
  }
}

/** The check by gRPC, for an Envoy elsewhere, where `proxy.grpc_address` says so. */
async function openCheckListener(
  chain: ChainConfig,
  { proxy }: Gatehouse,
  log: Log,
): Promise<GrpcListener | undefined> {
  return proxy && openGrpcListener(chain.proxy?.grpc_address ?? '', { proxy: () => proxy, log })
}

/** Changed policies and routes hold at once; what is read only at a start is named. */
function watchChain(
  { path, chainAt }: ChainPlan,
  { since, publicUrl, gatehouse, log }: { since: string; publicUrl: string; gatehouse: Gatehouse; log: Log },
): WatchedFiles | undefined {
  if (path === undefined) return undefined
  return watchFiles({
    path,
    since,
    load: () => chainAt(publicUrl),
    apply({ chain }) {
      const waiting = gatehouse.reload(chain)
      if (waiting.length > 0) log.warn('some changes wait for a restart', { path, waiting })
    },
    log,
  })
}

/** Who can sign in: the realm's users, made for a demo where there are none, and the broker's own. */
async function tellUsers(
  { isDemo }: ChainPlan,
  { chain, gatehouse, clock }: { chain: ChainConfig; gatehouse: Gatehouse; clock: Clock },
): Promise<Pick<RunningGatehouse, 'newUsers' | 'knownUsers' | 'realm'>> {
  const users = openRealmUsers({ database: gatehouse.database, clock, random: systemRandom })
  const realm = chain.realm?.realms[0]
  const present = realm ? await users.list(realm.realm) : []
  const newUsers = realm && isDemo && present.length === 0 ? await addDemoUsers(users, realm, systemRandom) : []
  const ofRealm = present.map(({ email, username }) => email ?? username)
  const ofBroker = chain.broker?.enablePasswordDB ? chain.broker.staticPasswords.map(({ email }) => email) : []
  const realms = await users.realms()
  return {
    newUsers,
    knownUsers: [...ofRealm, ...ofBroker],
    realm: realm && { name: realm.realm, isOnly: realms.length === 1 },
  }
}

/** The origin of a chain on this machine: `http://localhost:8080`. */
export function localUrl(port: number): string {
  return new URL(`http://localhost:${port}`).origin // without the port 80
}

/** Whether an origin is this machine's own name; without one it is. */
export function isLocalUrl(publicUrl: string | undefined): boolean {
  return publicUrl === undefined || ['localhost', '127.0.0.1', '[::1]'].includes(new URL(publicUrl).hostname)
}

function localPort(publicUrl: string | undefined): number | undefined {
  if (publicUrl === undefined || !isLocalUrl(publicUrl)) return undefined
  const { port, protocol } = new URL(publicUrl)
  return port === '' ? (protocol === 'http:' ? 80 : undefined) : Number(port)
}
