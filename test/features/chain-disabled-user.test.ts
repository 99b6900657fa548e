import { expect, test } from 'vitest'
import { signedInChain } from '../world/signed-in-chain.ts'

const minute = 61_000

test('who is disabled is out within a minute, whatever the session’s token says', async () => {
  const { clock, users, echo } = await signedInChain()
  clock.advance(minute)
  expect(await echo()).toEqual(['platform-users'])
  await users.setEnabled('platform', 'kay', false)
  clock.advance(minute)
  expect(await echo()).toBe(302)
})

test('a changed password and a removed user end open sessions', async () => {
  const changed = await signedInChain()
  await changed.users.setPassword('platform', 'kay', 'another horse')
  changed.clock.advance(minute)
  expect(await changed.echo()).toBe(302)
  const removed = await signedInChain()
  await removed.users.remove('platform', 'kay')
  removed.clock.advance(minute)
  expect(await removed.echo()).toBe(302)
})

test('new groups reach apps within a minute, without signing in again', async () => {
  const { clock, users, echo } = await signedInChain()
  await users.setGroups('platform', 'kay', ['platform-users', 'team/ml'])
  clock.advance(minute)
  expect(await echo()).toEqual(['platform-users', 'team/ml'])
})

test('a session lasts through a day of use, and no longer', async () => {
  const { clock, echo } = await signedInChain()
  for (let hours = 0; hours < 22; hours += 1) {
    clock.advance(3_600_000)
    expect(await echo()).toEqual(['platform-users'])
  }
  clock.advance(3 * 3_600_000)
  expect(await echo()).toBe(302)
})
