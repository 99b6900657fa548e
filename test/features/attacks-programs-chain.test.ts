import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { WebSocket } from 'ws'
import type { HttpClient } from '../world/http-client.ts'
import {
  type AttackWorld,
  attackWorld,
  form,
  platformWithApp,
  type RecordingApp,
  recordingApp,
} from './attacks-world.ts'

let app: RecordingApp
let world: AttackWorld
beforeAll(async () => {
  app = await recordingApp()
  world = await attackWorld({ from: platformWithApp(app) })
})
afterAll(async () => {
  await world.close()
  await app.close()
})

/** The user makes a token on the page. */
async function makeToken({ origin }: AttackWorld, browser: HttpClient, path = '') {
  const page = await browser.follow(`${origin}/oauth2/tokens`, {
    method: 'POST',
    body: new URLSearchParams({ label: 'nightly', path, days: '1' }),
    headers: { 'sec-fetch-site': 'same-origin' },
  })
  return /gha_[\w-]{43}/.exec(page.text)?.[0] ?? expect.fail(page.text)
}

/** Each way a request carries a token. */
const carriers = (token: string) => ({
  bearer: `Authorization: Bearer ${token}`,
  password: `Authorization: Basic ${Buffer.from(`git:${token}`).toString('base64')}`,
  cookie: `Cookie: _oauth2_proxy=${token}`,
})

test('no app is ever handed the token it was asked with', async () => {
  const { browser, cookie } = await world.signIn()
  const token = await makeToken(world, browser)
  const { bearer, password } = carriers(token)
  const names = cookie.split('; ').map((pair) => pair.slice(0, pair.indexOf('=')))
  const asked = [[bearer], [password], ...names.map((name) => [`Cookie: a=1; ${name}=${token}; b=2`])]
  const before = app.received.length
  const statuses: number[] = []
  for (const headers of asked) statuses.push((await world.ask('/app/x', { headers })).status)
  expect(statuses.filter((status) => status === 200).length).toBeGreaterThanOrEqual(3)
  const encoded = Buffer.from(token).toString('base64').slice(8, 40)
  const seen = JSON.stringify(app.received.slice(before))
  expect(seen).toContain('ada@example.com')
  expect(seen).not.toContain('gha_')
  expect(seen).not.toContain(encoded)
})

test('what a token has open is closed when it is revoked, and a sign-out with it ends nothing of others', async () => {
  const { browser } = await world.signIn()
  const token = await makeToken(world, browser)
  const headers = { authorization: `Bearer ${token}` }
  const socket = new WebSocket(`${world.origin.replace('http:', 'ws:')}/app/socket`, { headers })
  await once(socket, 'open')
  const { bearer, cookie } = carriers(token)
  for (const header of [bearer, cookie]) await world.ask('/oauth2/sign_out', { headers: [header] })
  expect((await world.ask('/app/x', { headers: [bearer] })).status).toBe(200)
  expect(await browser.send(`${world.origin}/app/x`)).toHaveProperty('status', 200)
  const asProgram = [cookie, 'Accept: application/json', 'Content-Type: application/x-www-form-urlencoded']
  const { body } = await world.ask('/oauth2/tokens', { headers: asProgram })
  const [{ id: revoke = '' } = {}] = JSON.parse(body) as { id?: string }[]
  const closed = once(socket, 'close')
  const revoked = await world.ask('/oauth2/tokens', { ...form({ revoke }), headers: asProgram })
  expect(revoked.status).toBe(200)
  await closed
  expect((await world.ask('/app/x', { headers: [bearer] })).status).toBe(401)
})

test('what an app was handed in the place of a token ends with it, and nothing of the browser’s', async () => {
  const { browser, cookie: ofBrowser } = await world.signIn()
  const token = await makeToken(world, browser)
  const { bearer, cookie } = carriers(token)
  const handed = await Promise.all([bearer, `Cookie: ${ofBrowser}`].map(authorizationFor))
  const answers = async () => {
    const answered = handed.map((held) => world.ask('/app/x', { headers: [`Authorization: ${held}`] }))
    return (await Promise.all(answered)).map(({ status }) => status)
  }
  expect(handed[0]).not.toBe(handed[1])
  expect(await answers()).toEqual([200, 200])
  const asProgram = [cookie, 'Accept: application/json', 'Content-Type: application/x-www-form-urlencoded']
  const { body } = await world.ask('/oauth2/tokens', { headers: asProgram })
  const [{ id: revoke = '' } = {}] = JSON.parse(body) as { id?: string }[]
  await world.ask('/oauth2/tokens', { ...form({ revoke }), headers: asProgram })
  expect(await answers()).toEqual([401, 200])
})

/** What an app is told by a request with these credentials. */
async function authorizationFor(credentials: string, at: number): Promise<string | undefined> {
  const target = `/app/handed-${at}`
  await world.ask(target, { headers: [credentials] })
  const received = app.received.find((request) => request.target === target)
  return received?.headers.find(([name]) => name.toLowerCase() === 'authorization')?.[1]
}

test('a token of the proxy is none of the issuers', async () => {
  const { browser } = await world.signIn()
  const { bearer, password } = carriers(await makeToken(world, browser))
  for (const path of ['/dex/userinfo', '/auth/realms/platform/protocol/openid-connect/userinfo']) {
    for (const header of [bearer, password]) {
      expect([401, 403]).toContain((await world.ask(path, { headers: [header] })).status)
    }
  }
})

describe('a token for some paths reaches no app beside them, however the path is written', () => {
  const climbs = [
    '/..',
    '/%2e%2e',
    '/.%2e',
    '/..;',
    '/..;x=y',
    '/%2e%2e%3b',
    '/..%2f',
    '/..%5c',
    '\\..',
    '/%252e%252e',
    '/..%252f',
  ]
  const others = [
    '//..//',
    '/;/..',
    '/%c0%ae%c0%ae',
    '/%e0%80%ae%e0%80%ae',
    '/%uff0e%uff0e',
    '/..%00',
    '/..%09',
    '/..%0d',
    '/.. ',
    '/...',
    '/%',
    '/..#',
    '/..?',
    '/.;a/..;b',
  ]
  const targets = [...climbs, ...others].flatMap((climb) => [
    `/app/in${climb}/out`,
    `/app/in/x${climb}${climb}/out`,
    `/app/in${climb}`,
  ])
  const beside = [
    '/app/inside',
    '/app/in;/..;/out',
    '/app/in%2f..%2fout',
    '/app//in/../out',
    '/app/IN/x',
    '/app/out?/app/in/',
    '/app/out#/app/in/',
    '/app/out;/app/in/',
  ]

  /** Where the most lenient of servers would end up. */
  function readLoosely(target: string): string {
    let path = target.replace(/[?#].*$/s, '')
    for (let round = 0; round < 3; round += 1) {
      path = path.replace(/%([0-9a-f]{2})/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))
    }
    const kept: string[] = []
    for (const segment of path
      .replaceAll('\u00c0\u00ae', '.')
      .replaceAll('\u00e0\u0080\u00ae', '.')
      .split(/[/\\]+/)) {
      const name = segment.replace(/;.*$/s, '').replace(/[\0-\x20].*$/s, '')
      if (name === '..') kept.pop()
      else if (name !== '' && name !== '.') kept.push(name)
    }
    return `/${kept.join('/')}`
  }

  test.each(['NONE', 'BASE', 'MERGE_SLASHES', 'DECODE_AND_MERGE_SLASHES'])('normalised by %s', async (mode) => {
    const directory = platformWithApp(app)
    writeFileSync(join(directory, 'mesh.yaml'), `pathNormalization: {normalization: ${mode}}\n`)
    const chain = await attackWorld({ from: directory })
    const { browser } = await chain.signIn()
    const token = await makeToken(chain, browser, '/app/in')
    const before = app.received.length
    for (const target of ['/app/in/x', '/app/in', ...targets, ...beside]) {
      for (const header of Object.values(carriers(token))) await chain.ask(target, { headers: [header] })
    }
    await chain.close()
    const reached = app.received.slice(before).map(({ target }) => target)
    expect(reached).toContain('/app/in/x')
    for (const target of reached) expect(readLoosely(target), target).toMatch(/^\/app\/in(?:\/|$)/)
  })
})
