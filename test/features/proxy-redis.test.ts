import { expect, test } from 'vitest'
import { silentLog } from '../../src/kit/log.ts'
import { systemRandom } from '../../src/kit/random.ts'
import type { CheckAnswer } from '../../src/proxy/check.ts'
import { proxyConfigSchema } from '../../src/proxy/config.ts'
import type { ProxyPart } from '../../src/proxy/open-proxy.ts'
import { cookieKey } from '../../src/proxy/sessions/cookie-secret.ts'
import { openRedisStore } from '../../src/proxy/sessions/redis.ts'
import { checkRedis } from '../../src/proxy/sessions/redis-readiness.ts'
import { openSqlRecords } from '../../src/store/records.ts'
import { testDatabase } from '../world/database.ts'
import { describeWithRedis } from '../world/describe-with-redis.ts'
import { connectRedis, startRedis, type TestRedis } from '../world/redis.ts'
import { ada, Browser, issuer, kubeflow, kubeflowSecret, proxyWorld, sign } from './proxy-world.ts'

/** The proxy on a Redis; `open` opens further replicas. */
async function redisWorld({ url }: TestRedis, settings: Record<string, unknown> = {}) {
  const world = await proxyWorld({ session_store_type: 'redis', redis_connection_url: url, ...settings })
  const ask = (replica: ProxyPart, cookie = world.browser.cookieHeader): CheckAnswer | Promise<CheckAnswer> =>
    replica.check({ method: 'GET', path: '/x', host: '', headers: { cookie }, clientAddress: '', requestId: '' })
  return { ...world, ask }
}

const refreshes = (requests: readonly URLSearchParams[]) =>
  requests.filter((form) => form.get('grant_type') === 'refresh_token').length

/** Waits for what another connection is told; two seconds at most. */
const soon = <Value>(look: () => Value | Promise<Value>) => expect.poll(look, { timeout: 2000, interval: 5 })

describeWithRedis('sessions in Redis', (redis) => {
  const keysOf = async (pattern: string) =>
    ((await connectRedis(redis()).command('keys', pattern)) as readonly Buffer[]).map(String)

  test('the browser holds a ticket, Redis what only the ticket opens, until the cookie ends', async () => {
    const { browser, signIn, proxy } = await redisWorld(redis(), { cookie_name: 'first' })
    expect((await signIn()).status).toBe(302)
    const text = browser.cookies.get('first') ?? ''
    const ticket = Buffer.from(text.split('|')[0] ?? '', 'base64url').toString()
    expect(ticket).toMatch(/^v2\.[\w-]+\.[\w-]{22}$/)
    const [key = ''] = await keysOf('first-*')
    expect(Buffer.from(ticket.split('.')[1] ?? '', 'base64url').toString()).toBe(key)
    const command = connectRedis(redis()).command
    const secondsLeft = Number(await command('ttl', key))
    expect(secondsLeft > 86_000 && secondsLeft <= 86_400).toBe(true)
    expect(String(await command('get', key))).not.toContain('ada')
    expect((await browser.check('/x')).status).toBe(200)
    await proxy.close?.()
  })

  test('whoever signs in with a ticket in the browser gets another one, and the old one is dead', async () => {
    const { browser, signIn, newBrowser, proxy, ask } = await redisWorld(redis(), { cookie_name: 'fixed' })
    const attacker = newBrowser()
    await signIn('/', attacker)
    for (const [name, value] of attacker.cookies) browser.cookies.set(name, value)
    await signIn()
    expect(browser.cookies.get('fixed')).not.toBe(attacker.cookies.get('fixed'))
    expect(await keysOf('fixed-*')).toHaveLength(1)
    await soon(async () => (await ask(proxy, attacker.cookieHeader)).status).toBe(403)
    expect((await browser.check('/x')).status).toBe(200)
  })

  test('a sign-out at one replica is felt at every other that remembers the session', async () => {
    const { browser, signIn, open, ask } = await redisWorld(redis())
    await signIn()
    const replicas = [open(), open()]
    for (const replica of replicas) await soon(async () => (await ask(replica)).status).toBe(200)
    const { cookieHeader: cookie } = browser
    expect((await browser.get('/oauth2/sign_out')).status).toBe(302)
    for (const replica of replicas) await soon(async () => (await ask(replica, cookie)).status).toBe(403)
  })

  test('the sign-in page deletes the session', async () => {
    const { browser, signIn } = await redisWorld(redis(), { cookie_name: 'left' })
    await signIn()
    expect((await browser.get('/oauth2/sign_in')).status).toBe(200)
    expect(await keysOf('left-*')).toEqual([])
  })

  test('a session another program deletes is gone, remembered or not', async () => {
    const { signIn, proxy, ask } = await redisWorld(redis(), { cookie_name: 'deleted' })
    await signIn()
    expect((await ask(proxy)).status).toBe(200)
    await connectRedis(redis()).command('del', ...(await keysOf('deleted-*')))
    await soon(async () => (await ask(proxy)).status).toBe(403)
  })

  test.each(['redis', 'cookie'])('over three replicas a %s session is refreshed once', async (type) => {
    const { signIn, provider, clock, open, ask } = await redisWorld(redis(), { session_store_type: type })
    provider.tokenLifetime = 300
    provider.refreshTokens = true
    await signIn()
    const replicas = [open(), open(), open()]
    for (let round = 1; round <= 3; round += 1) {
      clock.time += 295_000
      const asked = Array.from({ length: 30 }, (_, at) => ask(replicas[at % 3] ?? open()))
      const answers = await Promise.all(asked)
      expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]))
      expect(new Set(answers.map(authorizationOf)).size).toBe(1)
      expect(refreshes(provider.tokenRequests)).toBe(round)
    }
  })

  test('while an oauth2-proxy beside us refreshes we wait and take what it got', async () => {
    const { browser, signIn, provider, clock, proxy, ask } = await redisWorld(redis(), { cookie_name: 'shared' })
    provider.tokenLifetime = 300
    provider.refreshTokens = true
    await signIn()
    const [key = ''] = await keysOf('shared-*')
    const connection = connectRedis(redis())
    await connection.command('set', `${key}.lock`, 'a token of 22 letters', 'PX', 2000)
    clock.time += 295_000
    const waiting = ask(proxy)

    const config = proxyConfigSchema.parse({ ...kubeflow, cookie_name: 'shared' })
    const keys = { secret: kubeflowSecret, key: cookieKey(kubeflowSecret) ?? Buffer.alloc(0) }
    const records = openSqlRecords(await testDatabase(), clock)
    const theirs = openRedisStore({
      config,
      keys,
      records,
      redis: connection,
      clock,
      random: systemRandom,
      log: silentLog,
    })
    const kept = await theirs.find(browser.cookies.get('shared') ?? '')
    if (!kept) throw new Error('the session is not found')
    const seconds = Math.floor(clock.time / 1000)
    const idToken = await sign({ ...ada, iss: issuer, aud: kubeflow.client_id, iat: seconds, exp: seconds + 300 })
    const fresh = { ...kept.session, createdAt: clock.time, idToken, refreshToken: 'theirs' }
    await theirs.replace(kept, fresh)
    await connection.command('del', `${key}.lock`)

    expect(authorizationOf(await waiting)).toBe(`Bearer ${idToken}`)
    expect(refreshes(provider.tokenRequests)).toBe(0)
  })

  test('a sign-out during a refresh wins', async () => {
    const { browser, signIn, provider, clock, proxy, ask } = await redisWorld(redis(), { cookie_name: 'raced' })
    provider.tokenLifetime = 300
    provider.refreshTokens = true
    await signIn()
    const { cookieHeader: cookie } = browser
    clock.time += 295_000
    const { fetch } = provider
    provider.fetch = async (input, init) => {
      provider.fetch = fetch
      await browser.get('/oauth2/sign_out')
      return fetch(input, init)
    }
    await ask(proxy, cookie)
    expect(await keysOf('raced-*')).toEqual([])
    await soon(async () => (await ask(proxy, cookie)).status).toBe(403)
  })

  test('a callback is not taken twice, whichever replica it goes to', async () => {
    const { begin, open, provider, browser } = await redisWorld(redis())
    const callback = await begin()
    const thief = new Browser(open())
    for (const [name, value] of browser.cookies) thief.cookies.set(name, value)
    expect((await browser.get(callback)).status).toBe(302)
    const asked = provider.tokenRequests.length
    await thief.get(callback)
    expect(provider.tokenRequests.length).toBe(asked)
    expect([...thief.cookies.keys()]).not.toContain('oauth2_proxy_kubeflow')
  })
})

describeWithRedis('a Redis that goes away', () => {
  test('answers 503 and keeps the cookie, starts no login, and is used again when it is back', async () => {
    const redis = await startRedis(['--save', '1 1'])
    const { browser, signIn, proxy, ask, newBrowser, logged } = await redisWorld(redis)
    await signIn()
    await redis.stop()

    const cookies = [...browser.cookies]
    await soon(() => proxy.ready()).toBe(false)
    expect((await browser.check('/x')).status).toBe(503)
    for (const path of ['/oauth2/auth', '/oauth2/userinfo', '/oauth2/sign_out', '/ready']) {
      const answer = await browser.get(path)
      expect([path, answer.status, answer.headers.getSetCookie()]).toEqual([path, 503, []])
    }
    const start = await newBrowser().get('/oauth2/start?rd=%2F')
    expect([start.status, start.headers.get('location')]).toEqual([503, null])
    expect([...browser.cookies]).toEqual(cookies)
    const messages = logged.map((line) => (JSON.parse(line) as { message: string }).message)
    expect(messages.filter((message) => message === 'redis does not answer')).toHaveLength(1)

    const back = await startRedis([], redis.port)
    await soon(() => proxy.ready()).toBe(true)
    expect((await browser.get('/ready')).status).toBe(200)
    await signIn()
    expect((await ask(proxy)).status).toBe(200)
    await proxy.close?.()
    await back.stop()
  })

  test('a test of the configuration says what keeps it from being used', async () => {
    const redis = await startRedis()
    const options = { random: systemRandom, log: silentLog }
    const at = (url: string) => proxyConfigSchema.parse({ ...kubeflow, redis_connection_url: url })
    await expect(checkRedis(at(redis.url), options)).resolves.toBeUndefined()
    await redis.stop()
    await expect(checkRedis(at(redis.url), options)).rejects.toThrow(`redis cannot be used: connect ECONNREFUSED`)
    await expect(checkRedis(at(''), options)).resolves.toBeUndefined()
  })

  test('one that hangs is given up after two seconds', async () => {
    const redis = await startRedis()
    const { browser, signIn, proxy, clock } = await redisWorld(redis)
    await signIn()
    redis.freeze()
    clock.time += 61_000 // nothing is remembered any more
    const answer = await browser.check('/x')
    expect([answer.status, answer.headers['set-cookie']]).toEqual([503, undefined])
    redis.thaw()
    await soon(async () => (await browser.check('/x')).status).toBe(200)
    await proxy.close?.()
    await redis.stop()
  })
})

function authorizationOf({ headers }: CheckAnswer): string | undefined {
  return headers[headers.indexOf('authorization') + 1]
}
