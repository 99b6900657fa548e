import { pbkdf2Sync } from 'node:crypto'
import { hashRawSync } from '@node-rs/argon2'
import { expect, test } from 'vitest'
import { GatehouseError } from '../../src/kit/errors.ts'
import { systemRandom } from '../../src/kit/random.ts'
import { openPasswordHasher, type PasswordHasher } from '../../src/realm/passwords/hash-password.ts'
import { authUrl, formAction, postToken, type RealmWorld, realmWorld, smallRealm } from './realm-world.ts'

const salt = Buffer.from('0123456789abcdef')
const secretData = (value: Buffer) =>
  JSON.stringify({ value: value.toString('base64'), salt: salt.toString('base64'), additionalParameters: {} })

const pbkdf2 = (algorithm: string, digest: string, hashIterations: number) => ({
  type: 'password',
  secretData: secretData(pbkdf2Sync('imported', salt, hashIterations, 64, digest)),
  credentialData: JSON.stringify({ hashIterations, algorithm, additionalParameters: {} }),
})

const argon2 = {
  type: 'password',
  secretData: secretData(
    hashRawSync('imported', {
      salt,
      timeCost: 5,
      memoryCost: 7168,
      parallelism: 1,
      outputLen: 32,
      algorithm: 2,
      version: 1,
    }),
  ),
  credentialData: JSON.stringify({
    hashIterations: 5,
    algorithm: 'argon2',
    additionalParameters: { hashLength: ['32'], memory: ['7168'], type: ['id'], version: ['1.3'], parallelism: ['1'] },
  }),
}

const imported: readonly [string, object][] = [
  ['argon2', argon2],
  ['pbkdf2', pbkdf2('pbkdf2', 'sha1', 1000)],
  ['pbkdf2-sha256', pbkdf2('pbkdf2-sha256', 'sha256', 27_500)],
  ['pbkdf2-sha512', pbkdf2('pbkdf2-sha512', 'sha512', 1000)],
  [
    'hashedSaltedValue of old exports',
    {
      type: 'password',
      hashedSaltedValue: pbkdf2Sync('imported', salt, 20_000, 64, 'sha1').toString('base64'),
      salt: salt.toString('base64'),
      hashIterations: 20_000,
      algorithm: 'pbkdf2',
    },
  ],
]

const grant = (world: RealmWorld, username: string, password: string) =>
  postToken(world, { grant_type: 'password', username, password })

const storedAlgorithm = async (world: RealmWorld) => {
  const row = await world.database.selectFrom('realm_credentials').select('json_parameters').executeTakeFirstOrThrow()
  return (JSON.parse(row.json_parameters) as { algorithm: string }).algorithm
}

test.each(imported)('a user imported with %s signs in, and has Argon2 afterwards', async (_name, credential) => {
  const world = await realmWorld({ realm: { ...smallRealm, users: [{ username: 'old', credentials: [credential] }] } })
  expect((await grant(world, 'old', 'wrong')).status).toBe(400)
  const before = await storedAlgorithm(world)
  expect((await grant(world, 'old', 'imported')).status).toBe(200)
  expect([before === 'argon2', await storedAlgorithm(world)]).toEqual([credential === argon2, 'argon2'])
  expect((await grant(world, 'old', 'imported')).status).toBe(200)
})

test('a hash that is as it should be is left alone', async () => {
  const world = await realmWorld({ realm: { ...smallRealm, users: [{ username: 'old', credentials: [argon2] }] } })
  await grant(world, 'old', 'imported')
  const row = await world.database.selectFrom('realm_credentials').select('json_secret').executeTakeFirstOrThrow()
  expect(JSON.parse(row.json_secret)).toMatchObject({ salt: salt.toString('base64') })
})

test('an unknown algorithm lets nobody in', async () => {
  const credential = { ...argon2, credentialData: '{"hashIterations":1,"algorithm":"md5"}' }
  const world = await realmWorld({ realm: { ...smallRealm, users: [{ username: 'old', credentials: [credential] }] } })
  expect((await grant(world, 'old', 'imported')).status).toBe(400)
})

/** Counts what is asked of the real hasher. */
function countingHasher(): PasswordHasher & { readonly verified: string[] } {
  const hasher = openPasswordHasher({ random: systemRandom, waiting: 10_000, waitingPerSource: 10_000 })
  const verified: string[] = []
  return {
    verified,
    hash: hasher.hash,
    verify: (password, stored) => {
      verified.push(stored.parameters.algorithm)
      return hasher.verify(password, stored)
    },
  }
}

test('a user who is not there, or has no password, costs a hash of the same kind', async () => {
  const hasher = countingHasher()
  const world = await realmWorld({
    realm: { ...smallRealm, users: [...smallRealm.users, { username: 'sso' }] },
    hasher,
  })
  for (const username of ['ada', 'nobody', 'sso']) await grant(world, username, 'wrong')
  expect(hasher.verified).toEqual(['argon2', 'argon2', 'argon2'])
})

test('of 500 guesses at once five are looked at, and all of them count', async () => {
  const hasher = countingHasher()
  const world = await realmWorld({ hasher })
  const guesses = await Promise.all(Array.from({ length: 500 }, (_, guess) => grant(world, 'ada', `guess ${guess}`)))
  expect(new Set(guesses.map(({ status }) => status))).toEqual(new Set([400]))
  expect(hasher.verified).toHaveLength(5)
  expect((await grant(world, 'ada', 'correct horse')).status).toBe(400)
  world.clock.advance(299_000)
  expect((await grant(world, 'ada', 'wrong')).status).toBe(400)
  expect(hasher.verified).toHaveLength(6)
})

test('the wait doubles with each failure, and the right password clears it', async () => {
  const hasher = countingHasher()
  const world = await realmWorld({ hasher })
  for (let guess = 0; guess < 5; guess += 1) await grant(world, 'ada', 'wrong')
  expect((await grant(world, 'ada', 'correct horse')).status).toBe(400)
  world.clock.advance(1_000)
  expect((await grant(world, 'ada', 'correct horse')).status).toBe(200)
  for (let guess = 0; guess < 4; guess += 1) await grant(world, 'ada', 'wrong')
  expect((await grant(world, 'ada', 'correct horse')).status).toBe(200)
})

test('a stranger’s failures do not keep the user out, under any spelling of their name', async () => {
  const world = await realmWorld()
  const from = (address: string, username: string, password: string) =>
    world.browser(address).post(`${world.oidc}/token`, {
      grant_type: 'password',
      client_id: 'app',
      client_secret: 'app-secret',
      username,
      password,
    })
  for (let guess = 0; guess < 30; guess += 1) await from('203.0.113.9', 'ada', 'wrong')
  expect((await from('203.0.113.9', 'ADA@example.com', 'correct horse')).status).toBe(400)
  expect((await from('192.0.2.1', 'ada', 'correct horse')).status).toBe(200)
})

test('who tries name after name is slowed down, and nobody else is', async () => {
  let looked = 0
  const hasher: PasswordHasher = {
    hash: openPasswordHasher({ random: systemRandom }).hash,
    verify: async () => {
      looked += 1
      return false
    },
  }
  const world = await realmWorld({ hasher })
  const guess = (address: string, username: string) =>
    world.browser(address).post(`${world.oidc}/token`, {
      grant_type: 'password',
      client_id: 'app',
      client_secret: 'app-secret',
      username,
      password: 'wrong',
    })
  await Promise.all(Array.from({ length: 1200 }, (_, at) => guess('203.0.113.9', `name-${at}`)))
  expect(looked).toBe(1000)
  await guess('192.0.2.1', 'name-1200')
  expect(looked).toBe(1001)
  world.clock.advance(1000)
  await guess('203.0.113.9', 'name-1201')
  expect(looked).toBe(1002)
})

test('a realm with brute-force protection locks the account as it says', async () => {
  const realm = { ...smallRealm, bruteForceProtected: true, failureFactor: 3, waitIncrementSeconds: 60 }
  const world = await realmWorld({ realm })
  const from = (address: string, password: string) =>
    world.browser(address).post(`${world.oidc}/token`, {
      grant_type: 'password',
      client_id: 'app',
      client_secret: 'app-secret',
      username: 'ada',
      password,
    })
  for (let guess = 0; guess < 3; guess += 1) await from(`203.0.113.${guess}`, 'wrong')
  expect((await from('192.0.2.1', 'correct horse')).status).toBe(400)
  world.clock.advance(60_000)
  expect((await from('192.0.2.1', 'correct horse')).status).toBe(200)
})

test('a locked account looks like a wrong password', async () => {
  const world = await realmWorld()
  const browser = world.browser()
  const action = await formAction(await browser.fetch(authUrl(world)))
  for (let guess = 0; guess < 6; guess += 1) await browser.post(action, { username: 'ada', password: 'wrong' })
  const page = await browser.post(action, { username: 'ada', password: 'correct horse' })
  expect(await page.text()).toContain('Invalid username or password.')
  expect(world.lines.map(({ fields }) => fields['reason'])).toContain('too-many-failures')
})

test('when too many sign in at once the rest are asked to come back', async () => {
  const hasher: PasswordHasher = {
    hash: openPasswordHasher({ random: systemRandom }).hash,
    verify: () => Promise.reject(new GatehouseError('overloaded', 'too many sign-ins at once')),
  }
  const world = await realmWorld({ hasher })
  const direct = await grant(world, 'ada', 'correct horse')
  expect([direct.status, direct.headers.get('retry-after')]).toEqual([503, '5'])
  const browser = world.browser()
  const action = await formAction(await browser.fetch(authUrl(world)))
  const page = await browser.post(action, { username: 'ada', password: 'correct horse' })
  expect([page.status, page.headers.get('retry-after')]).toEqual([503, '5'])
  expect(await page.text()).toContain('Too many people are signing in')
})

test('no password appears in the log', async () => {
  const world = await realmWorld()
  await grant(world, 'ada', 'correct horse')
  await grant(world, 'hunter2', 'hunter2')
  const text = JSON.stringify(world.lines)
  expect(text).not.toContain('correct horse')
  expect(text).not.toContain('hunter2')
})
