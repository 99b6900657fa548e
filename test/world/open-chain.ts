import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openDataDirectory } from '../../src/app/data-directory.ts'
import { listenOnFreePort } from '../../src/app/listening/listen-on-free-port.ts'
import { openGatehouse } from '../../src/app/open-gatehouse.ts'
import { openServer } from '../../src/app/open-server.ts'
import type { ChainConfig } from '../../src/config/chain.ts'
import { defaultChain, demoApps } from '../../src/config/default-chain.ts'
import type { AppRoute } from '../../src/config/stock.ts'
import type { Fetch } from '../../src/http/part.ts'
import { silentLog } from '../../src/kit/log.ts'
import { systemRandom } from '../../src/kit/random.ts'
import { openRealmUsers } from '../../src/realm/users.ts'
import { type TestClock, testClock } from './clock.ts'

/** The default chain on a free port under a clock that is moved by hand, with the user `kay` (`correct horse`). */
export async function openTestChain({
  apps = [],
  change = (chain) => chain,
  clusterFetch,
}: {
  apps?: readonly AppRoute[]
  /** What is different from the default chain. */
  change?: (chain: ChainConfig) => ChainConfig
  /** How the Kubernetes API server is reached. */
  clusterFetch?: Fetch
} = {}) {
  const clock: TestClock = testClock(Date.now())
  const directory = join(mkdtempSync(join(tmpdir(), 'gatehouse-test-')), 'state')
  const { secrets, databaseFile } = openDataDirectory(directory, { random: systemRandom })
  const listener = openServer()
  const port = await listenOnFreePort(listener.server, { port: 0, host: 'localhost' })
  const publicUrl = `http://localhost:${port}`
  const chain = change(defaultChain({ publicUrl, secrets, apps: [...demoApps, ...apps] }))
  const shared = { clock, random: systemRandom, log: silentLog }
  const cluster = clusterFetch ? { clusterFetch } : {}
  const gatehouse = await openGatehouse({ ...shared, ...cluster, chain, databaseFile, secrets, outside: fetch })
  listener.serve(gatehouse)
  const users = openRealmUsers({ database: gatehouse.database, clock, random: systemRandom })
  await users.create('platform', {
    username: 'kay',
    email: 'kay@example.com',
    password: 'correct horse',
    groups: ['platform-users'],
  })
  return {
    publicUrl,
    port,
    chain,
    secrets,
    clock,
    users,
    async close() {
      await listener.close(0)
      await gatehouse.close()
    },
  }
}

export type TestChain = Awaited<ReturnType<typeof openTestChain>>
