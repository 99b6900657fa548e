import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type AttackWorld, attackWorld, platformWithApp, type RecordingApp, recordingApp } from './attacks-world.ts'

let app: RecordingApp
let world: AttackWorld
let cookie: string
beforeAll(async () => {
  app = await recordingApp()
  world = await attackWorld({ from: platformWithApp(app) })
  cookie = (await world.signIn()).cookie
})
afterAll(async () => {
  await world.close()
  await app.close()
})

/** Prefixes that nobody has to sign in for, and the one that everybody has to. */
const open = ['/dex', '/oauth2', '/auth', '/authservice', '/gatehouse']
const guarded = '/app/secret'

/** Ways people have found to write one path and mean another. */
const tricks = open.flatMap((prefix) => [
  `${prefix}/..${guarded}`,
  `${prefix}/../${guarded}`,
  `${prefix}/x/../..${guarded}`,
  `${prefix}/%2e%2e${guarded}`,
  `${prefix}/%2E%2E${guarded}`,
  `${prefix}/.%2e${guarded}`,
  `${prefix}/..%2f${guarded.slice(1)}`,
  `${prefix}/..%2F..${guarded}`,
  `${prefix}/..%5c${guarded.slice(1)}`,
  `${prefix}/..\\${guarded.slice(1)}`,
  `${prefix}\\..${guarded}`,
  `${prefix}/..;${guarded}`,
  `${prefix}/..;x=1${guarded}`,
  `${prefix};/..${guarded}`,
  `${prefix}/;/..${guarded}`,
  `${prefix}//..//..${guarded}`,
  `${prefix}/./..${guarded}`,
  `${prefix}/%2e/%2e%2e${guarded}`,
  `${prefix}/%252e%252e${guarded}`,
  `${prefix}/%c0%ae%c0%ae${guarded}`,
  `${prefix}/%uff0e%uff0e${guarded}`,
  `${prefix}/\xc0\xae\xc0\xae${guarded}`,
  `${guarded}?${prefix}/`,
  `${guarded}?x=${prefix}/`,
  `${guarded}#${prefix}/`,
  `${guarded}%23${prefix}/`,
  `${guarded}%3f${prefix}/`,
  `${guarded};${prefix}/`,
  `${guarded}/%2e%2e${prefix}x`,
  `/${guarded}`,
  `//x${guarded}`,
  `/.${guarded}`,
  `/%2e${guarded}`,
  `/%2f${guarded}`,
  `\\${guarded}`,
  guarded.toUpperCase(),
  `/%61pp/secret`,
  `/app%2fsecret`,
  `/app//secret`,
  `/app/./secret`,
  `/app/x/../secret`,
  `/app;/secret`,
  `/app/secret;.css`,
  `/app/secret/healthz`,
  `/app/secret%00${prefix}`,
  `/app/secret\x7f`,
])

test.each(open)('no path that begins with %s, or ends with it, opens another without a session', async (prefix) => {
  const before = app.received.length
  for (const trick of tricks.filter((one) => one.includes(prefix) || !one.includes(open[0] ?? ''))) {
    const answer = await world.ask(trick)
    expect([302, 400, 401, 403, 404, 405], trick).toContain(answer.status)
    if (answer.status === 302) expect(answer.header('location'), trick).toMatch(/^(\/|http:\/\/localhost:)/)
  }
  expect(app.received.slice(before).map(({ target }) => target)).toEqual([])
})

test('what is judged is what is forwarded: the app sees a path that is its own, however it was written', async () => {
  for (const trick of tricks) {
    const before = app.received.length
    const answer = await world.ask(trick, { headers: [`Cookie: ${cookie}`] })
    expect(answer.status, trick).toBeLessThan(500)
    for (const { target } of app.received.slice(before)) {
      expect(target, trick).toMatch(/^\/app\//)
      expect(target, trick).not.toMatch(/\/\.{1,2}(\/|$)|%2e|\\|#/i) // nothing is left that a server could resolve again
    }
  }
})

test.each([
  ['whose host is another one', () => `http://evil.example${guarded}`],
  ['whose host is ours', (host: string) => `http://${host}${guarded}`],
  ['with https', (host: string) => `HTTPS://${host}${guarded}`],
  ['with an open path before the guarded one', (host: string) => `http://${host}/dex/..${guarded}`],
  ['with an open host name', () => `http://dex${guarded}`],
  ['with credentials', (host: string) => `http://user:password@${host}${guarded}`],
  ['with another scheme', () => `file://${guarded}`],
  ['without a scheme', () => `evil.example:80`],
  ['with an asterisk', () => '*'],
])('an absolute target %s opens nothing', async (_, targetFor) => {
  const before = app.received.length
  for (const method of ['GET', 'POST', 'OPTIONS']) {
    expect([302, 400, 401, 403, 404, 405]).toContain((await world.ask(targetFor(world.host), { method })).status)
  }
  expect(app.received).toHaveLength(before)
})

describe('no header says which path is meant', () => {
  test.each([
    'X-Forwarded-Uri: /dex/',
    'X-Forwarded-Prefix: /dex',
    'X-Forwarded-Path: /dex/',
    'X-Original-URL: /dex/',
    'X-Original-URI: /dex/',
    'X-Rewrite-URL: /dex/',
    'X-Envoy-Original-Path: /dex/',
    'X-Forwarded-Method: OPTIONS',
    'X-HTTP-Method-Override: OPTIONS',
    'X-Forwarded-Host: dex',
    'X-Auth-Request-Redirect: /dex/',
    ':path: /dex/',
    'Path: /dex/',
    'Referer: /dex/',
  ])('%s', async (line) => {
    const before = app.received.length
    for (const spelling of [line, line.replaceAll('-', '_')]) {
      for (const target of [guarded, '/', '/echo/']) {
        expect([302, 400, 403]).toContain((await world.ask(target, { headers: [spelling] })).status)
      }
    }
    expect(app.received).toHaveLength(before)
    const open = await world.ask('/dex/healthz', { headers: [line.replaceAll('/dex', guarded)] })
    expect([200, 400]).toContain(open.status)
    expect(app.received).toHaveLength(before)
  })
})

describe('no probe opens a guarded page', () => {
  const agents = ['GoogleHC/1.0', 'kube-probe/1.30', 'HC/1', 'ELB-HealthChecker/2.0', 'Envoy/HC', 'curl/8', '']
  test.each(agents)('User-Agent: %s', async (agent) => {
    const before = app.received.length
    for (const target of [guarded, '/ping', '/ready', '/robots.txt', '/healthz', '/metrics', '/debug/pprof/']) {
      const answer = await world.ask(target, { headers: [`User-Agent: ${agent}`] })
      expect([302, 403], target).toContain(answer.status)
    }
    expect((await world.ask('/oauth2/auth', { headers: [`User-Agent: ${agent}`] })).status).toBe(401)
    expect(app.received).toHaveLength(before)
  })

  test.each([
    '/oauth2/ping',
    '/oauth2/ready',
    '/oauth2/metrics',
    '/auth/metrics',
    '/auth/health',
    '/dex/debug',
    '/dex/metrics',
  ])('%s tells strangers nothing', async (target) => {
    expect([302, 400, 401, 403, 404]).toContain((await world.ask(target)).status)
  })
})

test('every method has to sign in, preflights included', async () => {
  const before = app.received.length
  const preflight = ['Origin: https://evil.example', 'Access-Control-Request-Method: GET']
  for (const method of ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'TRACE', 'PROPFIND', 'QUERY']) {
    const answer = await world.ask(guarded, { method, headers: preflight })
    expect([302, 401, 403], method).toContain(answer.status)
    expect(answer.header('access-control-allow-origin')).toBeUndefined()
  }
  expect(app.received).toHaveLength(before)
})

test('a deep link leads back to itself and nowhere else, whatever it looks like', async () => {
  for (const target of [
    '//evil.example/x',
    '/\\evil.example',
    '/%2f%2fevil.example',
    '/%09/evil.example',
    '/@evil.example',
  ]) {
    const browser = world.newBrowser()
    const first = await world.ask(target)
    const state = new URL(first.header('location') ?? '', world.origin).searchParams.get('state') ?? ''
    expect(first.status === 400 || state.slice(44).startsWith('/'), target).toBe(true)
    expect(state.slice(44), target).not.toMatch(/^[/\\]{2}|^\/\\|^\/\s/)
    expect(browser.cookies.size).toBe(0)
  }
})
