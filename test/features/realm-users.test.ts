import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { systemRandom } from '../../src/kit/random.ts'
import { realmMigrations } from '../../src/realm/migrations.ts'
import type { RealmTables } from '../../src/realm/tables.ts'
import { openRealmUsers } from '../../src/realm/users.ts'
import { testDatabase } from '../world/database.ts'
import { authUrl, postToken, type RealmWorld, realmWorld, redeem, signIn } from './realm-world.ts'

/** A running realm, and the command line beside it with a connection of its own to the same file. */
async function serverAndCommandLine() {
  const folder = mkdtempSync(join(tmpdir(), 'gatehouse-'))
  const file = join(folder, 'realm.db')
  const world = await realmWorld({ file })
  const database = await testDatabase<RealmTables>({ file, migrations: realmMigrations })
  onTestFinished(async () => {
    await world.close()
    await database.destroy()
    rmSync(folder, { recursive: true })
  })
  return { world, file, users: openRealmUsers({ database, clock: world.clock, random: systemRandom }) }
}

const mayRefresh = async (world: RealmWorld, refresh_token: string) =>
  (await postToken(world, { grant_type: 'refresh_token', refresh_token })).status === 200

test('a user made on the command line can sign in at once', async () => {
  const { world, users } = await serverAndCommandLine()
  const created = await users.create('kubeflow', {
    username: 'Carol',
    email: 'Carol@example.com',
    firstName: 'Carol',
    lastName: 'Shaw',
    groups: ['team/sub', '/admins'],
    password: 'river raid',
  })
  expect(created).toEqual({
    id: expect.any(String),
    username: 'carol',
    email: 'carol@example.com',
    firstName: 'Carol',
    lastName: 'Shaw',
    enabled: true,
    groups: ['/admins', '/team/sub'],
  })
  expect(await users.find('kubeflow', 'CAROL@example.com')).toEqual(created)
  await signIn(world, world.browser(), { username: 'carol@example.com', password: 'river raid' })
})

test('disabling, removing or resetting a user ends their sessions in the running server', async () => {
  const { world, users } = await serverAndCommandLine()
  const change: readonly [string, () => Promise<void>][] = [
    ['reset', () => users.setPassword('kubeflow', 'ada', 'correct horse')],
    ['disable', () => users.setEnabled('kubeflow', 'ada@example.com', false)],
    ['remove', () => users.remove('kubeflow', 'ada')],
  ]
  for (const [name, apply] of change) {
    const browser = world.browser()
    const tokens = await redeem(world, await signIn(world, browser))
    expect(await mayRefresh(world, tokens.refresh_token)).toBe(true)
    await apply()
    expect([name, await mayRefresh(world, tokens.refresh_token)]).toEqual([name, false])
    expect((await browser.fetch(authUrl(world))).status).toBe(200)
    if (name === 'disable') await users.setEnabled('kubeflow', 'ada', true)
  }
  expect(await users.find('kubeflow', 'ada')).toBeUndefined()
})

test('a new password replaces the old one', async () => {
  const { world, users } = await serverAndCommandLine()
  await users.setPassword('kubeflow', 'bob', 'a new one')
  await signIn(world, world.browser(), { username: 'bob', password: 'a new one' })
  await expect(signIn(world, world.browser(), { username: 'bob', password: 'battery staple' })).rejects.toThrow(
    'no redirect',
  )
})

test('what is not there is said by name', async () => {
  const { users } = await serverAndCommandLine()
  expect(await users.realms()).toEqual(['kubeflow'])
  await expect(users.list('nowhere')).rejects.toMatchObject({
    code: 'unknown_realm',
    message: 'there is no realm `nowhere`',
  })
  await expect(users.setEnabled('kubeflow', 'nobody', false)).rejects.toMatchObject({ code: 'unknown_user' })
  await expect(users.setGroups('kubeflow', 'ada', ['nogroup'])).rejects.toMatchObject({
    code: 'unknown_group',
    message: 'there is no group `nogroup` (known: /admins, /team, /team/sub)',
  })
  const twice = users.create('kubeflow', { username: 'ada', password: 'x' })
  await expect(twice).rejects.toMatchObject({ code: 'user_exists' })
  const email = users.create('kubeflow', { username: 'other', email: 'ADA@example.com', password: 'x' })
  await expect(email).rejects.toMatchObject({ code: 'user_exists' })
})

describe('groups made by hand', () => {
  test('a group is made with those above it, given to users, and known from the next start on', async () => {
    const { file, users } = await serverAndCommandLine()
    await users.addGroup('kubeflow', 'research/vision')
    await users.create('kubeflow', { username: 'kay', password: 'river raid', groups: ['/research/vision'] })
    expect((await users.find('kubeflow', 'kay'))?.groups).toEqual(['/research/vision'])
    const restarted = await realmWorld({ file })
    onTestFinished(() => restarted.close())
    expect((await users.find('kubeflow', 'kay'))?.groups).toEqual(['/research/vision'])
  })

  test.each([
    ['research/vision', 'group_exists', 'there is a group `/research/vision` already'],
    ['', 'group_path', '`` is no group’s path'],
    ['a//b', 'group_path', 'is no group’s path'],
    ['a,b', 'group_path', 'is no group’s path'],
    [' a', 'group_path', 'is no group’s path'],
  ])('`%s` is refused', async (path, code, message) => {
    const { users } = await serverAndCommandLine()
    await users.addGroup('kubeflow', '/research/vision')
    await expect(users.addGroup('kubeflow', path)).rejects.toMatchObject({
      code,
      message: expect.stringContaining(message),
    })
  })

  test('one is removed with its memberships; one of the file, or with others below it, is not', async () => {
    const { users } = await serverAndCommandLine()
    await users.addGroup('kubeflow', 'research/vision')
    await users.create('kubeflow', { username: 'kay', password: 'river raid', groups: ['research/vision'] })
    await expect(users.removeGroup('kubeflow', 'research')).rejects.toMatchObject({ code: 'group_path' })
    await users.removeGroup('kubeflow', 'research/vision')
    await users.removeGroup('kubeflow', 'research')
    expect((await users.find('kubeflow', 'kay'))?.groups).toEqual([])
    await expect(users.removeGroup('kubeflow', 'research')).rejects.toMatchObject({ code: 'unknown_group' })
    await expect(users.removeGroup('kubeflow', 'admins')).rejects.toMatchObject({ code: 'group_of_file' })
  })
})
