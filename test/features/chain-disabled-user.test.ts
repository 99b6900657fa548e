import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import { openDataDirectory } from '../../src/app/data-directory.ts'
import { listenOnFreePort } from '../../src/app/listen.ts'
import { openGatehouse } from '../../src/app/open-gatehouse.ts'
import { openServer } from '../../src/app/open-server.ts'
import { defaultChain, demoApps } from '../../src/config/default-chain.ts'
import { silentLog } from '../../src/kit/log.ts'
import { systemRandom } from '../../src/kit/random.ts'
import { openRealmUsers } from '../../src/realm/users.ts'
import { testClock } from '../world/clock.ts'
import { httpClient } from '../world/http-client.ts'

const closing: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const close of closing.splice(0)) await close()
})

/** The default chain under a clock that is moved by hand, with one user signed in. */
async function signedIn() {
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
  return { clock, users, echo }
}

const minute = 61_000

test('who is disabled is out within a minute, whatever the session’s token says', async () => {
  const { clock, users, echo } = await signedIn()
  clock.advance(minute)
  expect(await echo()).toEqual(['platform-users'])
  await users.setEnabled('platform', 'kay', false)
  clock.advance(minute)
  expect(await echo()).toBe(302)
})

test('a changed password and a removed user end open sessions', async () => {
  const changed = await signedIn()
  await changed.users.setPassword('platform', 'kay', 'another horse')
  changed.clock.advance(minute)
  expect(await changed.echo()).toBe(302)
  const removed = await signedIn()
  await removed.users.remove('platform', 'kay')
  removed.clock.advance(minute)
  expect(await removed.echo()).toBe(302)
})

test('new groups reach apps within a minute, without signing in again', async () => {
  const { clock, users, echo } = await signedIn()
  await users.setGroups('platform', 'kay', ['platform-users', 'team/ml'])
  clock.advance(minute)
  expect(await echo()).toEqual(['platform-users', 'team/ml'])
})

test('a session lasts through a day of use, and no longer', async () => {
  const { clock, echo } = await signedIn()
  for (let hours = 0; hours < 22; hours += 1) {
    clock.advance(3_600_000)
    expect(await echo()).toEqual(['platform-users'])
  }
  clock.advance(3 * 3_600_000)
  expect(await echo()).toBe(302)
})
