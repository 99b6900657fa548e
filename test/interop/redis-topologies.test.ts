import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import { systemClock } from '../../src/kit/clock.ts'
import type { GatehouseError } from '../../src/kit/errors.ts'
import { silentLog } from '../../src/kit/log.ts'
import type { Records } from '../../src/store/records.ts'
import { openRedis, type RedisConnection } from '../../src/store/redis.ts'
import type { RedisSettings } from '../../src/store/redis-options.ts'
import { openRedisRecords } from '../../src/store/redis-records.ts'
import { watchRedis } from '../../src/store/redis-watch.ts'
import { selfSignedCertificate } from '../world/certificate.ts'
import { describeWithRedis } from '../world/describe-with-redis.ts'
import { freePort } from '../world/programs.ts'
import { redisSettings, startRedis, startSentinel, type TestRedis } from '../world/redis.ts'

/** What docs/SESSIONS.md says a user of its own needs. */
const commands = '+@all -@dangerous +info'

const stops: (() => unknown)[] = []
afterEach(async () => {
  for (const stop of stops.splice(0).reverse()) await stop()
})

async function start(args: readonly string[] = [], port?: number): Promise<TestRedis> {
  const redis = await startRedis(args, port)
  stops.push(redis.stop)
  return redis
}

function open(settings: RedisSettings): RedisConnection {
  const redis = openRedis(settings, silentLog)
  stops.push(redis.close)
  return redis
}

/** Writes and reads; throws where that does not work. */
async function use(redis: RedisConnection): Promise<string> {
  await redis.command('set', 'key', 'value')
  return String(await redis.command('get', 'key'))
}

const usable = (redis: RedisConnection) => use(redis).catch(({ message }: Error) => message)
const refusal = (redis: RedisConnection) => use(redis).catch(({ detail }: GatehouseError) => detail)

/** Sends what records and journals send. */
async function recordsOf(records: Records): Promise<void> {
  const until = systemClock.now() + 60_000
  const codes = records.collection<string>('codes')
  expect(await codes.create('a', 'value', until)).toBe(true)
  expect(await codes.use('a')).toEqual({ value: 'value', uses: 1 })
  expect(await codes.update('a', () => 'other')).toBe('other')
  expect(await codes.delete('a')).toBe(true)
  await records.journal('news').append('first', until)
  expect(await records.journal('news').readAfter(0)).toMatchObject([{ entry: 'first' }])
}

/** A change another connection makes is heard. */
async function hears(settings: RedisSettings, redis: RedisConnection): Promise<void> {
  const watch = watchRedis(redis, ['key'], silentLog)
  stops.push(watch.close)
  await expect.poll(() => watch.isLive(), { timeout: 5000 }).toBe(true)
  const heard = new Promise((resolve) => watch.listen((key) => key === 'key' && resolve(key)))
  await open(settings).command('set', 'key', 'other')
  expect(await heard).toBe('key')
}

describeWithRedis('ways to reach a real Redis', () => {
  test('by a user name and password of settings or URL, and not without', async () => {
    const { url } = await start(
      `--user gatehouse on >pass/word ~key* &__redis__:* ${commands} --user default off`.split(' '),
    )
    const settings = redisSettings(url, { username: 'gatehouse', password: 'pass/word' })
    expect(await usable(open(settings))).toBe('value')
    await hears(settings, open(settings))
    const records = openRedisRecords(open(settings), { prefix: 'key:', clock: systemClock })
    await recordsOf(records)
    const named = url.replace('redis://', 'redis://gatehouse:pass%2Fword@')
    expect(await usable(open(redisSettings(named)))).toBe('value')
    expect(await usable(open(redisSettings(url)))).toBe('redis does not answer')
    expect(await refusal(open(redisSettings(named, { password: 'wrong' })))).toMatch(/^WRONGPASS/)
  })

  test('by a Unix socket, in another database', async () => {
    const path = join(mkdtempSync(join(tmpdir(), 'gatehouse-redis-')), 'redis.sock')
    const { url } = await start(['--unixsocket', path])
    expect(await usable(open(redisSettings(`unix://${path}?db=3`)))).toBe('value')
    const other = open(redisSettings(`${url}/3`))
    expect(String(await other.command('get', 'key'))).toBe('value')
    expect(await open(redisSettings(url)).command('get', 'key')).toBeNull()
  })

  test('by TLS with an authority of its own, with none only where that is asked for', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'gatehouse-redis-'))
    const { key, cert } = selfSignedCertificate('localhost')
    const [keyFile, caFile] = [join(directory, 'key.pem'), join(directory, 'cert.pem')]
    writeFileSync(keyFile, key)
    writeFileSync(caFile, cert)
    const port = await freePort()
    await start(
      ['--tls-port', String(port), '--tls-cert-file', caFile, '--tls-key-file', keyFile].concat([
        '--tls-auth-clients',
        'no',
      ]),
    )
    const url = `rediss://localhost:${port}`
    expect(await usable(open(redisSettings(url, { caFile })))).toBe('value')
    await hears(redisSettings(url, { caFile }), open(redisSettings(url, { caFile })))
    expect(await refusal(open(redisSettings(url)))).toMatch(/self-signed/)
    expect(await usable(open(redisSettings(url, { skipTlsVerify: true })))).toBe('value')
  })

  test('by sentinels, which name another primary when the first is gone', async () => {
    const primary = await start()
    const replica = await start(['--replicaof', '127.0.0.1', String(primary.port)])
    const sentinel = await startSentinel(primary.port)
    stops.push(sentinel.stop)
    const topology = { kind: 'sentinel' as const, urls: [sentinel.url], masterName: 'platform', password: '' }
    const settings = { ...redisSettings(''), topology }
    const redis = open(settings)
    expect(await usable(redis)).toBe('value')
    await hears(settings, redis)
    const direct = open(redisSettings(replica.url))
    await expect.poll(async () => String(await direct.command('get', 'key')), { timeout: 10_000 }).toBe('other')
    await primary.stop()
    await expect.poll(() => usable(redis), { timeout: 30_000, interval: 200 }).toBe('value')
  })

  test('in a cluster, whichever node a key is on', async () => {
    const nodes = await Promise.all([0, 1, 2].map(() => start(['--cluster-enabled', 'yes'])))
    for (const [at, { url }] of nodes.entries()) {
      const [from, to] = [
        [0, 5460],
        [5461, 10_922],
        [10_923, 16_383],
      ][at] ?? [0, 0]
      const node = open(redisSettings(url))
      await node.command('cluster', 'addslotsrange', from ?? 0, to ?? 0)
      for (const other of nodes) await node.command('cluster', 'meet', '127.0.0.1', other.port)
    }
    const [first] = nodes
    if (!first) throw new Error('no node was started')
    await expect
      .poll(async () => String(await open(redisSettings(first.url)).command('cluster', 'info')), { timeout: 20_000 })
      .toContain('cluster_state:ok')
    const cluster = open({ ...redisSettings(''), topology: { kind: 'cluster', urls: [first.url] } })
    await expect.poll(() => usable(cluster), { timeout: 10_000 }).toBe('value')
    for (let at = 0; at < 20; at += 1) {
      await cluster.command('set', `key-${at}`, at)
      expect(String(await cluster.command('eval', "return redis.call('get', KEYS[1])", 1, `key-${at}`))).toBe(
        String(at),
      )
    }
    expect(watchRedis(cluster, ['key'], silentLog).isLive()).toBe(false)
  })
})
