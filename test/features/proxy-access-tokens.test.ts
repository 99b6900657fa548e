import { createHash } from 'node:crypto'
import { beforeEach, describe, expect, test } from 'vitest'
import { GatehouseError } from '../../src/kit/errors.ts'
import { openLog } from '../../src/kit/log.ts'
import { systemRandom } from '../../src/kit/random.ts'
import {
  type EndedSessions,
  namesOfToken,
  openEndedSessions,
  sessionName,
  subjectName,
} from '../../src/oidc/ended-sessions.ts'
import type { AccessToken } from '../../src/proxy/access-tokens/access-token.ts'
import { type AccessTokens, openAccessTokens } from '../../src/proxy/access-tokens/access-tokens.ts'
import { openTokenLists } from '../../src/proxy/access-tokens/token-lists.ts'
import type { Session } from '../../src/proxy/session.ts'
import { openRefresher } from '../../src/proxy/sessions/refresh-once.ts'
import { defaultProxyConfig } from '../../src/proxy/typed-config.ts'
import { openRecordLeases } from '../../src/store/leases.ts'
import { migrate } from '../../src/store/migrate.ts'
import { storeMigrations } from '../../src/store/migrations.ts'
import { openSqlRecords, type Records, type RecordTables } from '../../src/store/records.ts'
import { openSqlite } from '../../src/store/sqlite.ts'
import type { JsonObject } from '../../src/tokens/jwt.ts'

const start = 1_700_000_000_000
const day = 86_400_000
const hour = 3_600_000
const log = openLog({ level: 'error', now: () => start, write: () => {} })

/** An ID token that ends at this time; nobody here looks at its signature. */
const idTokenUntil = (time: number, claims: object = {}) =>
  ['{"alg":"RS256"}', JSON.stringify({ exp: time / 1000, ...claims }), '']
    .map((part) => Buffer.from(part).toString('base64url'))
    .join('.')

const sessionAt = (time: number, round: number): Session => ({
  createdAt: time,
  idToken: idTokenUntil(time + hour),
  accessToken: `access-${round}`,
  refreshToken: `refresh-${round}`,
  email: 'ada@example.com',
  user: 'ada',
  groups: round === 0 ? ['ml', 'admins'] : ['ml'],
})

interface TokenWorld {
  readonly clock: { time: number; now(): number }
  readonly records: Records
  readonly rows: () => Promise<string>
  /** A replica of its own, over the same records; told of what ends elsewhere where it shares `ended`. */
  open(ended?: EndedSessions): AccessTokens
  readonly refreshed: string[]
  provider: 'answers' | 'refuses' | 'is away'
}

let world: TokenWorld
let tokens: AccessTokens
beforeEach(async () => {
  const database = openSqlite<RecordTables>(':memory:')
  await migrate(database, storeMigrations)
  const clock = { time: start, now: () => clock.time }
  const records = openSqlRecords(database, clock)
  const refreshed: string[] = []
  const opened: TokenWorld = {
    clock,
    records,
    refreshed,
    provider: 'answers',
    rows: async () => JSON.stringify(await database.selectFrom('records').selectAll().execute()),
    open: (ended = openEndedSessions({ records, clock, log })) =>
      openAccessTokens({
        ...{ records, ended, firstProvider: 'dex' },
        leases: openRecordLeases(records, { name: 'test-leases', clock, random: systemRandom }),
        clock,
        random: systemRandom,
        openRefresher: (store) =>
          openRefresher({ config: defaultProxyConfig, store, provider: { refresh }, clock, log }),
      }),
  }
  async function refresh({ refreshToken = '' }: Session): Promise<Session> {
    refreshed.push(refreshToken)
    if (opened.provider === 'refuses') throw new GatehouseError('grant_refused', 'no')
    if (opened.provider === 'is away') throw new GatehouseError('provider_unavailable', 'no')
    return sessionAt(clock.now(), refreshed.length)
  }
  world = opened
  tokens = opened.open()
})

const grant = { label: 'nightly run', paths: ['/pipeline'], expiresAt: start + 90 * day }

describe('a personal access token', () => {
  test('leads to its owner’s session and its paths, on every replica', async () => {
    const { text, token } = await tokens.create(sessionAt(start, 0), grant)
    for (const replica of [tokens, world.open()]) {
      expect(await replica.find(text)).toMatchObject({
        session: { email: 'ada@example.com', groups: ['ml', 'admins'], scope: ['/pipeline'] },
      })
    }
    expect(token).toEqual({ ...grant, id: token.id, createdAt: start })
  })

  test('is refreshed with its groups as they are then, once for all replicas', async () => {
    const { text } = await tokens.create(sessionAt(start, 0), grant)
    world.clock.time += 2 * hour
    const found = await Promise.all([tokens.find(text), tokens.find(text), world.open().find(text)])
    expect(found.map((one) => one?.session.groups)).toEqual([['ml'], ['ml'], ['ml']])
    expect(world.refreshed).toEqual(['refresh-0'])
  })

  test('dies with the sign-in behind it, for good', async () => {
    const { text } = await tokens.create(sessionAt(start, 0), grant)
    world.clock.time += 2 * hour
    world.provider = 'refuses'
    expect(await tokens.find(text)).toBeUndefined()
    world.provider = 'answers'
    expect(await tokens.find(text)).toBeUndefined()
    expect(await tokens.list({ email: 'ada@example.com' })).toEqual([])
  })

  test('is neither good nor gone while the provider is away', async () => {
    const { text } = await tokens.create(sessionAt(start, 0), grant)
    world.clock.time += 2 * hour
    world.provider = 'is away'
    await expect(tokens.find(text)).rejects.toMatchObject({ code: 'provider_unavailable' })
    world.provider = 'answers'
    expect(await tokens.find(text)).toBeDefined()
  })

  test('ends when it was to end', async () => {
    const { text } = await tokens.create(sessionAt(start, 0), { ...grant, expiresAt: start + day })
    world.clock.time += day - 1
    expect(await tokens.find(text)).toBeDefined()
    world.clock.time += 1
    expect(await tokens.find(text)).toBeUndefined()
    expect(await tokens.list({ email: 'ada@example.com' })).toEqual([])
  })

  test('ends at once when its owner revokes it, on every replica, and takes along what it left open', async () => {
    const ended = openEndedSessions({ ...world, log })
    const other = world.open(ended)
    const { text, token } = await tokens.create(sessionAt(start, 0), grant)
    const { names } = (await other.find(text)) ?? expect.fail('it counts')
    expect(await tokens.revoke({ email: 'someone@example.com' }, token.id)).toBe(false)
    expect(await tokens.find(text)).toBeDefined()
    expect(await tokens.revoke({ email: 'ADA@example.com' }, token.id)).toBe(true)
    expect(await tokens.find(text)).toBeUndefined()
    expect(await ended.hasEnded(names)).toBe(true) // as it finds out by itself within a second
    expect(await other.find(text)).toBeUndefined()
  })

  test('takes along the ID tokens apps were handed for it, until the last of them is over', async () => {
    const { records, clock } = world
    const ended = openEndedSessions({ records, clock, log })
    const issued = { iss: 'https://id.example.com', sid: 's1' }
    const first = { ...issued, nonce: 'n1', exp: (start + hour) / 1000, iat: start / 1000 }
    const withIdToken = (claims: object): Session => ({ ...sessionAt(start, 0), idToken: idTokenUntil(start, claims) })
    const { token } = await world.open(ended).create(withIdToken(first), grant)
    await tokens.revoke({ email: 'ada@example.com' }, token.id)
    const isEnded = (claims: JsonObject) => ended.hasEnded(namesOfToken(claims, 'any.token.text'))
    expect(await isEnded(first)).toBe(true)
    expect(await isEnded({ ...first, iat: start / 1000 + 60, exp: start / 1000 + 3660 })).toBe(true)
    expect(await isEnded({ ...issued, nonce: 'of the browser', iat: start / 1000 })).toBe(false)
    clock.time += 50 * 60_000
    expect(await openEndedSessions({ records, clock, log }).hasEnded(namesOfToken(first, 'any.token.text'))).toBe(true)
  })

  test('takes along an ID token without a nonce, too', async () => {
    const ended = openEndedSessions({ records: world.records, clock: world.clock, log })
    const session = sessionAt(start, 0)
    const { token } = await tokens.create(session, grant)
    await tokens.revoke({ email: 'ada@example.com' }, token.id)
    expect(await ended.hasEnded(namesOfToken({ iat: start / 1000 }, session.idToken ?? ''))).toBe(true)
    expect(await ended.hasEnded(namesOfToken({ iat: start / 1000 }, 'another.token.text'))).toBe(false)
  })

  test('outlives its user’s other sessions; what it left open does not outlive an end of all of them', async () => {
    const ended = openEndedSessions({ ...world, log })
    const replica = world.open(ended)
    const idToken = idTokenUntil(start + hour, { iss: 'https://idp', sub: 'ada', iat: start / 1000 })
    const { text } = await replica.create({ ...sessionAt(start, 0), idToken }, grant)
    const { names } = (await replica.find(text)) ?? expect.fail('it counts')
    await ended.end({ names: [sessionName('https://idp', 's')], upTo: start + day }, start + day)
    expect(ended.isEnded(names)).toBe(false)
    await ended.end({ names: [subjectName('https://idp', 'ada')], upTo: start + day }, start + day)
    expect(ended.isEnded(names)).toBe(true)
    expect(await replica.find(text)).toBeDefined()
  })

  test('revoked while it is being looked up does not count either', async () => {
    const { text, token } = await tokens.create(sessionAt(start, 0), grant)
    world.clock.time += 2 * hour
    const found = tokens.find(text)
    while (world.refreshed.length === 0) await Promise.resolve()
    const revoked = tokens.revoke({ email: 'ada@example.com' }, token.id)
    expect([await found, await revoked]).toEqual([undefined, true])
    expect(await tokens.find(text)).toBeUndefined()
  })

  test('cannot be read from what is kept', async () => {
    const { text } = await tokens.create(sessionAt(start, 0), grant)
    const rows = await world.rows()
    for (const secret of [text, text.slice(4), text.slice(4, 25), 'refresh-0', 'access-0']) {
      expect(rows).not.toContain(secret)
    }
  })

  test('is listed for its owner with when it was last used', async () => {
    await tokens.create(sessionAt(start, 0), grant)
    world.clock.time += hour
    const { text } = await tokens.create(sessionAt(start, 0), { ...grant, label: 'laptop' })
    world.clock.time += hour
    await tokens.find(text)
    const listed = await tokens.list({ email: 'ada@example.com' })
    expect(listed.map(({ label, usedAt }) => [label, usedAt])).toEqual([
      ['laptop', start + 2 * hour],
      ['nightly run', undefined],
    ])
    expect(await tokens.list({ email: 'someone@example.com' })).toEqual([])
  })

  test('is unknown to another provider’s user of the same address', async () => {
    const [ofDex, ofGitHub] = [
      { ...sessionAt(start, 0), provider: 'dex' },
      { ...sessionAt(start, 0), provider: 'github' },
    ]
    const { token } = await tokens.create(ofDex, grant)
    const { token: other } = await tokens.create(ofGitHub, grant)
    expect(await tokens.list(ofDex)).toEqual([token])
    expect(await tokens.list(ofGitHub)).toEqual([other])
    expect(await tokens.revoke(ofGitHub, token.id)).toBe(false)
    expect(await tokens.revoke(ofDex, other.id)).toBe(false)
    expect(await tokens.revoke(ofGitHub, other.id)).toBe(true)
    // with one provider a session names none
    expect(await tokens.list(sessionAt(start, 0))).toEqual([token])
    expect(await tokens.revoke(sessionAt(start, 0), token.id)).toBe(true)
  })

  test('of before providers had lists of their own is the first one’s, until its use tells whose it is', async () => {
    const [ofDex, ofGitHub] = [
      { ...sessionAt(start, 0), provider: 'dex' },
      { ...sessionAt(start, 0), provider: 'github' },
    ]
    const { text, token } = await tokens.create(ofGitHub, grant)
    const old = createHash('sha256').update('ada@example.com').digest('base64url')
    await world.records.collection<object>('proxy-access-tokens').update(token.id, (kept) => ({ ...kept, owner: old }))
    const lists = world.records.collection<readonly AccessToken[]>('proxy-access-token-owners')
    await lists.create(old, await tokens.list(ofGitHub), start + day)
    const [own = ''] = openTokenLists({ ...world, firstProvider: 'dex' }).listsOf(ofGitHub)
    await lists.delete(own)

    expect(await tokens.list(ofDex)).toEqual([token])
    expect(await tokens.list(ofGitHub)).toEqual([])
    expect(await tokens.find(text)).toBeDefined()
    expect(await tokens.list(ofDex)).toEqual([])
    expect(await tokens.list(ofGitHub)).toEqual([{ ...token, usedAt: start }])
    expect(await tokens.revoke(ofDex, token.id)).toBe(false)
    expect(await tokens.revoke(ofGitHub, token.id)).toBe(true)
    expect(await world.open().find(text)).toBeUndefined()
  })

  test('is not found by another text', async () => {
    const { text } = await tokens.create(sessionAt(start, 0), grant)
    const other = text.slice(0, -1) + (text.endsWith('A') ? 'Q' : 'A')
    for (const guess of [other, '', 'gha_', text.slice(0, -4), `${text} `]) {
      expect(await tokens.find(guess), guess).toBeUndefined()
    }
  })
})
