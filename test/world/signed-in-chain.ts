import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, expect } from 'vitest'
import { openDataDirectory } from '../../src/app/data-directory.ts'
import { listenOnFreePort } from '../../src/app/listen.ts'
import { openGatehouse } from '../../src/app/open-gatehouse.ts'
import { openServer } from '../../src/app/open-server.ts'
import { defaultChain, demoApps } from '../../src/config/default-chain.ts'
import { silentLog } from '../../src/kit/log.ts'
import { systemRandom } from '../../src/kit/random.ts'
import { openRealmUsers } from '../../src/realm/users.ts'
import { testClock } from './clock.ts'
import { httpClient } from './http-client.ts'

const closing: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const close of closing.splice(0)) await close()
})

/** The default chain under a clock that is moved by hand, with `kay` signed in; closed after the test. */
export async function signedInChain() {
  const clock = testClock(Date.now())
  const data = openDataDirectory(join(mkdtempSync(join(tmpdir(), 'gatehouse-test-')), 'state'), {
    random: systemRandom,
  })
  const listener = openServer()
  const port = await listenOnFreePort(listener.server, { port: 0, host: 'localhost' })
  const publicUrl = `http://localhost:${port}`
  const chain = defaultChain({ publicUrl, secrets: data.secrets, apps: demoApps })
  const gatehouse = await openGatehouse({
    chain,
    databaseFile: data.databaseFile,
    secrets: data.secrets,
    clock,
    random: systemRandom,
    log: silentLog,
    outside: fetch,
  })
  listener.serve(gatehouse)
  closing.push(async () => {
    await listener.close(0)
    await gatehouse.close()
  })
  const users = openRealmUsers({ database: gatehouse.database, clock, random: systemRandom })
  await users.create('platform', {
    username: 'kay',
    email: 'kay@example.com',
    password: 'correct horse',
    groups: ['platform-users'],
  })
  const client = httpClient()
  const echo = async () => {
    const response = await client.send(`${publicUrl}/echo/?format=json`)
    return response.status === 200 ? ((await response.json()) as { groups: string[] }).groups : response.status
  }
  await client.submit(await client.follow(`${publicUrl}/echo/`), { username: 'kay', password: 'correct horse' })
  expect(await echo()).toEqual(['platform-users'])
  return { clock, users, echo, client, publicUrl }
}
