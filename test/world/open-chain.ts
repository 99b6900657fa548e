import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openDataDirectory } from '../../src/app/data-directory.ts'
import { listenOnFreePort } from '../../src/app/listening/listen-on-free-port.ts'
import { openGatehouse } from '../../src/app/open-gatehouse.ts'
import { openServer } from '../../src/app/open-server.ts'
import { defaultChain, demoApps } from '../../src/config/default-chain.ts'
import type { AppRoute } from '../../src/config/stock.ts'
import { silentLog } from '../../src/kit/log.ts'
import { systemRandom } from '../../src/kit/random.ts'
import { openRealmUsers } from '../../src/realm/users.ts'
import { type TestClock, testClock } from './clock.ts'

/** The default chain on a free port under a clock that is moved by hand, with the user `kay` (`correct horse`). */
export async function openTestChain({ apps = [] }: { apps?: readonly AppRoute[] } = {}) {
  const clock: TestClock = testClock(Date.now())
  const directory = join(mkdtempSync(join(tmpdir(), 'gatehouse-test-')), 'state')
  const { secrets, databaseFile } = openDataDirectory(directory, { random: systemRandom })
  const listener = openServer()
  const port = await listenOnFreePort(listener.server, { port: 0, host: 'localhost' })
  const publicUrl = `http://localhost:${port}`
  const chain = defaultChain({ publicUrl, secrets, apps: [...demoApps, ...apps] })
  const shared = { clock, random: systemRandom, log: silentLog }
  const gatehouse = await openGatehouse({ ...shared, chain, databaseFile, secrets, outside: fetch })
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
