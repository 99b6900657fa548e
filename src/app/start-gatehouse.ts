import process from 'node:process'
import type { ChainConfig } from '../config/chain.ts'
import { defaultChain, demoApps } from '../config/default-chain.ts'
import { loadChainFromDirectory } from '../config/from-directory.ts'
import { systemClock } from '../kit/clock.ts'
import { type LogLevel, openLog } from '../kit/log.ts'
import { ConfigError, type Problem } from '../kit/problems.ts'
import { systemRandom } from '../kit/random.ts'
import { openRealmUsers } from '../realm/users.ts'
import { openDataDirectory, type Secrets } from './data-directory.ts'
import { type DemoUser, demoUsers, readablePassword } from './demo-users.ts'
import { listenOnFreePort } from './listen.ts'
import { openGatehouse } from './open-gatehouse.ts'
import { openServer } from './open-server.ts'
import { settleMemory } from './settle-memory.ts'

/** What `gatehouse up` was asked for. */
export interface StartOptions {
  /** The first port to try; 0 for any. */
  readonly port: number
  readonly dataDirectory: string
  /** The origin browsers use; the local address unless given. */
  readonly publicUrl: string | undefined
  /** A directory of a platform's own files. */
  readonly from: string | undefined
  readonly reset: boolean
  readonly logLevel: LogLevel
}

/** A chain that listens. */
export interface RunningGatehouse {
  readonly publicUrl: string
  readonly port: number
  readonly chain: ChainConfig
  /** Things about the files of `from` that deserve a second look. */
  readonly warnings: readonly Problem[]
  /** Users made by this run, with their passwords in clear: to be printed once. */
  readonly newUsers: readonly (DemoUser & { readonly password: string })[]
  /** E-mails of the users that were there before. */
  readonly knownUsers: readonly string[]
  close(): Promise<void>
}

const graceMilliseconds = 5000

/**
 * Starts the whole chain on one listener.
 * @throws ConfigError with every problem of `from`; GatehouseError where port or data directory cannot be had.
 */
export async function startGatehouse(options: StartOptions): Promise<RunningGatehouse> {
  const random = systemRandom
  const clock = systemClock
  const log = openLog({
    level: options.logLevel,
    now: () => clock.now(),
    write: (line) => process.stderr.write(`${line}\n`),
  })
  const data = openDataDirectory(options.dataDirectory, { random, reset: options.reset })
  const listener = openServer()
  const host = options.publicUrl === undefined ? 'localhost' : undefined
  const port = await listenOnFreePort(listener.server, { port: options.port, host })
  try {
    const publicUrl = options.publicUrl ?? `http://localhost:${port}`
    const { chain, warnings } = readChain(options, publicUrl, data.secrets)
    const gatehouse = await openGatehouse({
      chain,
      databaseFile: data.databaseFile,
      secrets: data.secrets,
      clock,
      random,
      log,
      outside: (input, init) => fetch(input, init),
    })
    const users = openRealmUsers({ database: gatehouse.database, clock, random })
    const { newUsers, knownUsers } = await addDemoUsers(chain, users)
    listener.serve(gatehouse)
    settleMemory()
    return {
      publicUrl,
      port,
      chain,
      warnings,
      newUsers,
      knownUsers,
      async close() {
        await listener.close(graceMilliseconds)
        await gatehouse.close()
      },
    }
  } catch (error) {
    await listener.close(0)
    throw error
  }
}

function readChain(
  { from }: StartOptions,
  publicUrl: string,
  secrets: Secrets,
): { chain: ChainConfig; warnings: readonly Problem[] } {
  if (from === undefined) return { chain: defaultChain({ publicUrl, secrets, apps: demoApps }), warnings: [] }
  const { chain, problems } = loadChainFromDirectory(from, { publicUrl, secrets, env: process.env, demo: true })
  if (!chain) throw new ConfigError(problems)
  return { chain, warnings: problems }
}

/** Two demo users for a realm that has none, so that there is someone to sign in as. */
async function addDemoUsers(chain: ChainConfig, users: ReturnType<typeof openRealmUsers>) {
  const realm = chain.realm?.realms[0]?.realm
  if (realm === undefined) return { newUsers: [], knownUsers: [] }
  const present = await users.list(realm)
  if (present.length > 0) return { newUsers: [], knownUsers: present.map(({ email, username }) => email ?? username) }
  const groups = groupPaths(chain.realm?.realms[0]?.groups)
  const newUsers = demoUsers.map((user) => ({
    ...user,
    groups: user.groups.filter((group) => groups.includes(group)),
    password: readablePassword(systemRandom),
  }))
  for (const user of newUsers) await users.create(realm, user)
  return { newUsers, knownUsers: [] }
}

interface Group {
  readonly name: string
  readonly subGroups?: readonly Group[]
}

function groupPaths(groups: readonly Group[] = [], parent = ''): string[] {
  return groups.flatMap(({ name, subGroups }) => [`${parent}/${name}`, ...groupPaths(subGroups, `${parent}/${name}`)])
}
