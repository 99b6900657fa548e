import { writeFileSync } from 'node:fs'
import process from 'node:process'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { describeWithRedis } from '../world/describe-with-redis.ts'
import { type HttpClient, httpClient } from '../world/http-client.ts'
import { freePort } from '../world/programs.ts'
import { connectRedis, startRedis, type TestRedis } from '../world/redis.ts'
import { describeWith, goModuleVersion, type RunningProgram, startProgram } from './programs.ts'
import { type ProviderServer, startProviderServer } from './provider-server.ts'
import { isRecording } from './record-sessions.ts'

const main = fileURLToPath(new URL('../../src/main.mjs', import.meta.url))
const cookieName = 'shared'
const cookieSecret = '3f9a1c7e5b2d8046a7c9e1f3052b4d68'
/** Sessions are refreshed after so many seconds. */
const refreshAfter = 2

/** A proxy, theirs or ours. */
interface Proxy extends RunningProgram {
  readonly origin: string
}

async function startProxy(
  { command, args }: { command: string; args: readonly string[] },
  { provider, redis }: { provider: ProviderServer; redis: TestRedis },
): Promise<Proxy> {
  const port = await freePort()
  const origin = `http://127.0.0.1:${port}`
  const flags = [
    `--http-address=127.0.0.1:${port}`,
    '--redirect-url=http://platform.example.com/oauth2/callback',
    ...provider.flags,
    `--cookie-name=${cookieName}`,
    `--cookie-secret=${cookieSecret}`,
    '--cookie-expire=1h',
    `--cookie-refresh=${refreshAfter}s`,
    '--session-store-type=redis',
    `--redis-connection-url=${redis.url}`,
  ]
  const env = { NO_PROXY: '*', NODE_NO_WARNINGS: '1' }
  return { origin, ...(await startProgram(command, [...args, ...flags], { port, env })) }
}

const gatehouse = { command: process.execPath, args: [main, 'oauth2-proxy'] }

/** Signs in and answers the browser. */
async function signIn({ origin }: Proxy, { provider }: ProviderServer): Promise<HttpClient> {
  const browser = httpClient()
  const started = await browser.send(`${origin}/oauth2/start?rd=%2F`)
  const callback = provider.signIn(started.headers.get('location') ?? '')
  const done = await browser.send(origin + callback)
  expect([done.status, done.headers.get('location')]).toEqual([302, '/'])
  return browser
}

/** What a proxy says of a browser's session; the cookies of others are not touched. */
async function ask({ origin }: Proxy, { cookies }: HttpClient): Promise<Response> {
  const cookie = [...cookies.values()].map(({ name, value }) => `${name}=${value}`).join('; ')
  return fetch(`${origin}/oauth2/auth`, { headers: { cookie } })
}

const statusOf = async (proxy: Proxy, browser: HttpClient) => (await ask(proxy, browser)).status
const tokenOf = async (proxy: Proxy, browser: HttpClient) => (await ask(proxy, browser)).headers.get('authorization')
const pause = (seconds: number) => new Promise((resolve) => setTimeout(resolve, seconds * 1000))
/** The original rounds a session's age down to seconds. */
const untilDue = () => pause(refreshAfter + 1.1)

describeWith({ name: 'oauth2-proxy', from: 'github.com/oauth2-proxy/oauth2-proxy' }, (program) => {
  describeWithRedis('on one Redis and one cookie secret', (redis) => {
    let provider: ProviderServer
    let theirs: Proxy
    let ours: Proxy

    beforeAll(async () => {
      provider = await startProviderServer()
      const world = { provider, redis: redis() }
      ;[theirs, ours] = await Promise.all([
        startProxy({ command: program, args: [] }, world),
        startProxy(gatehouse, world),
      ])
    })
    afterAll(async () => {
      await Promise.all([theirs.stop(), ours.stop(), provider.stop()])
    })

    const pairs = () =>
      [
        ["oauth2-proxy's", theirs, ours],
        ['our', ours, theirs],
      ] as const

    test('a session of either is a session of the other', async () => {
      for (const [, maker, other] of pairs()) {
        const browser = await signIn(maker, provider)
        const [there, here] = [await ask(maker, browser), await ask(other, browser)]
        expect([there.status, here.status]).toEqual([202, 202])
        for (const name of ['x-auth-request-email', 'x-auth-request-groups', 'x-auth-request-user', 'authorization']) {
          expect([name, here.headers.get(name)]).toEqual([name, there.headers.get(name)])
        }
      }
      if (isRecording) await record(redis(), await signIn(theirs, provider), program)
    })

    test('a session of either is refreshed by the other, and goes on at both', async () => {
      for (const [, maker, other] of pairs()) {
        const browser = await signIn(maker, provider)
        const first = await tokenOf(maker, browser)
        await untilDue()
        const before = provider.exchanged.length
        const second = await tokenOf(other, browser)
        expect(second).toMatch(/^Bearer ey/)
        expect(second).not.toBe(first)
        expect(await tokenOf(maker, browser)).toBe(second)
        expect(provider.exchanged.length - before).toBe(1)
      }
    })

    test('a session of either is signed out by the other, and dead at both at once', async () => {
      for (const [, maker, other] of pairs()) {
        const browser = await signIn(maker, provider)
        expect([await statusOf(maker, browser), await statusOf(other, browser)]).toEqual([202, 202])
        const copy = httpClient()
        for (const [key, cookie] of browser.cookies) (copy.cookies as Map<string, typeof cookie>).set(key, cookie)
        expect((await browser.send(`${other.origin}/oauth2/sign_out`)).status).toBe(302)
        await expect.poll(() => statusOf(maker, copy), { timeout: 1000, interval: 5 }).toBe(401)
        await expect.poll(() => statusOf(other, copy), { timeout: 1000, interval: 5 }).toBe(401)
      }
    })

    test('both asked at once when it is due, they refresh it once between them', async () => {
      const browser = await signIn(theirs, provider)
      provider.delay = 300
      for (let round = 0; round < 3; round += 1) {
        await untilDue()
        const before = provider.exchanged.length
        const asked = Array.from({ length: 20 }, (_, at) => statusOf(at % 2 === 0 ? theirs : ours, browser))
        expect(new Set(await Promise.all(asked))).toEqual(new Set([202]))
        expect(provider.exchanged.length - before).toBe(1)
      }
      provider.delay = 0
      expect(provider.replayed).toEqual([])
    })

    test('a ticket brought along is not the ticket after a sign-in here', async () => {
      const attacker = await signIn(theirs, provider)
      const victim = httpClient()
      for (const [key, cookie] of attacker.cookies) (victim.cookies as Map<string, typeof cookie>).set(key, cookie)
      const started = await victim.send(`${ours.origin}/oauth2/start?rd=%2F`)
      await victim.send(ours.origin + provider.provider.signIn(started.headers.get('location') ?? ''))
      expect(await statusOf(ours, victim)).toBe(202)
      await expect.poll(() => statusOf(theirs, attacker), { timeout: 1000 }).toBe(401)
    })
  })
})

describeWithRedis('three processes on one Redis', () => {
  let provider: ProviderServer
  let redis: TestRedis
  let replicas: readonly [Proxy, Proxy, Proxy]

  beforeAll(async () => {
    provider = await startProviderServer()
    redis = await startRedis()
    const start = () => startProxy(gatehouse, { provider, redis })
    replicas = [await start(), await start(), await start()]
  })
  afterAll(async () => {
    await Promise.all([...replicas.map(({ stop }) => stop()), provider.stop()])
    await redis.stop()
  })

  test('a session that is due is refreshed once, round after round', async () => {
    const browser = await signIn(replicas[0], provider)
    provider.delay = 200
    for (let round = 0; round < 3; round += 1) {
      await untilDue()
      const before = provider.exchanged.length
      const asked = Array.from({ length: 60 }, (_, at) => ask(replicas[at % 3] ?? replicas[0], browser))
      const answers = await Promise.all(asked)
      expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([202]))
      expect(new Set(answers.map(({ headers }) => headers.get('authorization'))).size).toBe(1)
      expect(provider.exchanged.length - before).toBe(1)
    }
    provider.delay = 0
    expect(provider.replayed).toEqual([])
  })

  test('a refresh that takes longer than the lock lives is still the only one', async () => {
    const browser = await signIn(replicas[0], provider)
    await untilDue()
    provider.delay = 7000
    const before = provider.exchanged.length
    const answers = await Promise.all(replicas.map((replica) => ask(replica, browser)))
    provider.delay = 0
    expect(answers.map(({ status }) => status)).toEqual([202, 202, 202])
    expect(provider.exchanged.length - before).toBe(1)
    expect(provider.replayed).toEqual([])
  })

  test('whoever asked for a refresh may go: it is finished for the others', async () => {
    const browser = await signIn(replicas[0], provider)
    await untilDue()
    provider.delay = 500
    const before = provider.exchanged.length
    const cookie = [...browser.cookies.values()].map(({ name, value }) => `${name}=${value}`).join('; ')
    const given = fetch(`${replicas[0].origin}/oauth2/auth`, { headers: { cookie }, signal: AbortSignal.timeout(200) })
    await expect(given).rejects.toThrow()
    expect(await statusOf(replicas[1], browser)).toBe(202)
    provider.delay = 0
    expect(provider.exchanged.length - before).toBe(1)
  })

  test('a sign-out at one is felt at the others, warm as they are', async () => {
    const browser = await signIn(replicas[0], provider)
    for (const replica of replicas) expect(await statusOf(replica, browser)).toBe(202)
    const copy = httpClient()
    for (const [key, cookie] of browser.cookies) (copy.cookies as Map<string, typeof cookie>).set(key, cookie)
    await browser.send(`${replicas[0].origin}/oauth2/sign_out`)
    for (const replica of replicas) {
      await expect.poll(() => statusOf(replica, copy), { timeout: 500, interval: 5 }).toBe(401)
    }
  })

  test('a callback sent to all of them at once signs in once', async () => {
    const browser = httpClient()
    const started = await browser.send(`${replicas[0].origin}/oauth2/start?rd=%2F`)
    const callback = provider.provider.signIn(started.headers.get('location') ?? '')
    const cookie = [...browser.cookies.values()].map(({ name, value }) => `${name}=${value}`).join('; ')
    const before = provider.provider.tokenRequests.length
    const answers = await Promise.all(
      replicas.map(({ origin }) => fetch(origin + callback, { headers: { cookie }, redirect: 'manual' })),
    )
    const sessions = answers
      .flatMap(({ headers }) => headers.getSetCookie())
      .filter((line) => /^shared=[^;]/.test(line))
    expect(sessions).toHaveLength(1)
    expect(provider.provider.tokenRequests.length - before).toBe(1)
  })
})

/** Leaves a session as oauth2-proxy keeps it for the replay in `test/compat`. */
async function record(redis: TestRedis, browser: HttpClient, program: string): Promise<void> {
  const connection = connectRedis(redis)
  const cookie = [...browser.cookies.values()].find(({ name }) => name === cookieName)?.value ?? ''
  const ticket = Buffer.from(cookie.split('|')[0] ?? '', 'base64url').toString()
  const key = Buffer.from(ticket.split('.')[1] ?? '', 'base64url').toString()
  const recording = {
    program: `oauth2-proxy ${goModuleVersion(program, 'github.com/oauth2-proxy/oauth2-proxy/v7')}`,
    ...{ cookieName, cookieSecret, recordedAt: new Date().toISOString(), cookie, key },
    secondsToLive: await connection.command('ttl', key),
    value: ((await connection.command('get', key)) as Buffer).toString('base64'),
  }
  const file = new URL('../compat/oauth2-proxy/recorded-ticket.json', import.meta.url)
  writeFileSync(file, `${JSON.stringify(recording, null, 2)}\n`)
  await connection.close()
}
