import { randomBytes } from 'node:crypto'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
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

/** One path of every part and app. */
const paths = [
  '/',
  '/app/x',
  '/echo/',
  '/logout',
  '/dex/auth',
  '/dex/auth/keycloak',
  '/dex/callback',
  '/dex/approval',
  '/dex/token',
  '/dex/userinfo',
  '/dex/logout',
  '/dex/static/x',
  '/oauth2/start',
  '/oauth2/callback',
  '/oauth2/auth',
  '/oauth2/sign_in',
  '/oauth2/sign_out',
  '/oauth2/userinfo',
  '/oauth2/forward_auth',
  '/oauth2/tokens',
  '/oauth2/device',
  '/oauth2/device_authorization',
  '/oauth2/device_token',
  '/oauth2/backchannel-logout',
  '/dex/backchannel-logout/keycloak',
  '/auth/realms/platform',
  '/auth/realms/platform/protocol/openid-connect/auth',
  '/auth/realms/platform/protocol/openid-connect/token',
  '/auth/realms/platform/protocol/openid-connect/logout',
  '/auth/realms/platform/protocol/openid-connect/userinfo',
  '/auth/realms/platform/login-actions/authenticate',
  '/auth/realms/platform/login-actions/required-action',
  '/gatehouse/static/x',
]

const isAlive = async () => (await world.ask('/dex/healthz')).status

describe('no request is smuggled behind another', () => {
  const head = () => `POST /app/x HTTP/1.1\r\nHost: ${world.host}\r\nCookie: ${cookie}\r\n`
  const hidden = () => `GET /app/smuggled HTTP/1.1\r\nHost: ${world.host}\r\nConnection: close\r\n\r\n`

  test.each([
    ['both lengths', 'Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n'],
    ['both lengths, the other way around', 'Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n'],
    ['a coding nobody knows', 'Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n'],
    ['chunked twice', 'Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n'],
    ['two lengths', 'Content-Length: 0\r\nContent-Length: 5\r\n\r\nhello'],
    ['a length that is no number', 'Content-Length: 0x5\r\n\r\nhello'],
    ['a negative length', 'Content-Length: -1\r\n\r\n'],
    ['a folded length', 'Content-Length:\r\n 5\r\n\r\nhello'],
    ['a bad chunk size', 'Transfer-Encoding: chunked\r\n\r\nG\r\nhello\r\n0\r\n\r\n'],
    ['a chunk size beyond all numbers', `Transfer-Encoding: chunked\r\n\r\n${'f'.repeat(17)}\r\nx\r\n0\r\n\r\n`],
    ['a chunk that is longer than it says', 'Transfer-Encoding: chunked\r\n\r\n1\r\nhello\r\n0\r\n\r\n'],
    ['bare line feeds', 'Transfer-Encoding: chunked\r\n\r\n5\nhello\n0\n\n'],
    ['a NUL in a name', 'X-A\0: b\r\nContent-Length: 0\r\n\r\n'],
    ['a bare carriage return', 'X-A: a\rContent-Length: 0\r\n\r\n'],
    ['a second Host', 'Host: other.example\r\nContent-Length: 0\r\n\r\n'],
  ])('%s', async (_, rest) => {
    const before = app.received.length
    const text = await world.raw(`${head()}${rest}${hidden()}`)
    expect(text).toMatch(/^HTTP\/1\.1 400 /)
    expect(text.match(/HTTP\/1\.1 /g)).toHaveLength(1)
    expect(app.received.slice(before).map(({ target }) => target)).not.toContain('/app/smuggled')
  })

  test('not in the body of a request that is refused, nor in one that never ends', async () => {
    const before = app.received.length
    const body = hidden()
    await world.ask('/app/x', { method: 'POST', body }) // nobody is signed in
    await world.raw(
      `GET /app/x HTTP/1.1\r\nHost: ${world.host}\r\nConnection: Upgrade, close\r\nUpgrade: h2c\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
    )
    await world.raw(
      `GET /app/x HTTP/1.1\r\nHost: ${world.host}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\r\n${body}`,
    )
    expect(app.received).toHaveLength(before)
  })
})

describe('what does not fit is refused', () => {
  test.each([
    ['one header of a megabyte', (): string[] => [`X-A: ${'a'.repeat(1024 * 1024)}`]],
    ['two thousand headers', () => Array.from({ length: 2000 }, (_, at) => `X-${at}: a`)],
    ['a name of a hundred kilobytes', () => [`${'a'.repeat(100_000)}: b`]],
  ])('%s: 431', async (_, headers) => {
    for (const path of ['/app/x', '/dex/auth', '/oauth2/start']) {
      expect((await world.ask(path, { headers: headers() })).text).toMatch(/^HTTP\/1\.1 431 /)
    }
  })

  test('a form of a megabyte: 413, never a server error', async () => {
    const fields = form({ username: 'x'.repeat(1024 * 1024) })
    for (const path of [
      '/oauth2/sign_out',
      '/oauth2/callback',
      '/dex/token',
      '/dex/auth/keycloak',
      '/dex/logout',
      '/auth/realms/platform/protocol/openid-connect/token',
      '/auth/realms/platform/protocol/openid-connect/auth',
      '/auth/realms/platform/login-actions/authenticate',
    ]) {
      expect((await world.ask(path, fields)).status, path).toBe(413)
    }
  })
})

describe('whatever comes, the answer is one of ours and the next request is served', () => {
  const expectServed = async (text: string, what: string) => {
    const status = Number(/^HTTP\/1\.1 (\d{3})/.exec(text)?.[1] ?? 400) // a connection closed without a word is one, too
    expect([what, [500, 503].includes(status)]).toEqual([what, false]) // 503: a crash that was caught
    expect(status, what).toBeLessThan(599)
  }

  test.each([
    '%',
    '%zz',
    '%00',
    '%c0%af',
    '\xff\xfe',
    '\xed\xa0\x80',
    '?%',
    '?%ff=%',
    '?state=%E0%A4%A&code=%',
    '?client_id=__proto__&redirect_uri=constructor',
    '?client_id=gatehouse-proxy&redirect_uri=%ff',
    '?session_code=%00&client_id=toString',
    '?rd=%&rd=%00&rd=\xff',
    '?id_token_hint=..&post_logout_redirect_uri=%ff&state=%ff',

    '/__proto__/constructor',
  ])('targets ending in %j', async (tail) => {
    for (const path of paths) await expectServed(await world.raw(get(path + tail)), path)
    expect(await isAlive()).toBe(200)
  })

  test('targets of fifty kilobytes', async () => {
    const tails = [`?${'a=1&'.repeat(12_000)}`, `?scope=${'openid+'.repeat(7_000)}`, `/${'%2e%2e/'.repeat(7_000)}`]
    for (const path of paths) {
      for (const tail of tails) await expectServed(await world.raw(get(path + tail)), path)
    }
    expect(await isAlive()).toBe(200)
  })

  test('methods of every kind', async () => {
    const methods = ['HEAD', 'OPTIONS', 'PUT', 'PATCH', 'DELETE', 'TRACE', 'CONNECT', 'PROPFIND', 'QUERY', 'FOO', 'get']
    for (const path of paths) {
      for (const method of methods) {
        await expectServed(await world.raw(get(path).replace('GET', method)), `${method} ${path}`)
      }
    }
    expect(await isAlive()).toBe(200)
  })

  test('headers and hosts of every kind', async () => {
    const lines = [
      'Authorization: \xff',
      'Authorization: Basic \xff\xff',
      'Authorization: Bearer',
      'Accept: \xff',
      'Origin: \xff',
      'Origin: null\r\nAccess-Control-Request-Method: \xff',
      'X-Auth-Request-Redirect: \xff//',
      'Content-Type: \xff; boundary=',
      'Expect: 100-continue',
      'Expect: nonsense',
      'Range: bytes=9-1',
      'If-None-Match: \xff',
      'Upgrade: \xff\r\nConnection: upgrade',
      'Upgrade: websocket\r\nConnection: upgrade\r\nSec-WebSocket-Key: \xff',
      'Cookie: \xff=\xff; =; ;;',
    ]
    for (const path of paths) {
      for (const line of lines) await expectServed(await world.raw(get(path, line)), `${path} ${line}`)
      for (const host of ['a:99999', '[::1', '[v1.x]:1', 'a..', '%41', ':80', 'a@b', 'a/b', 'xn--', '0x7f.1']) {
        await expectServed(await world.raw(get(path).replace(/Host: .*/, `Host: ${host}`)), `${path} ${host}`)
      }
    }
    expect(await isAlive()).toBe(200)
  })

  test('forms of every kind', async () => {
    const bodies = [
      '%',
      'a=%ff',
      '\xff\xfe\x00',
      'grant_type=__proto__&client_id=constructor',
      'grant_type=authorization_code&code=%00&client_id=dex&client_secret=%ff',
      'grant_type=refresh_token&refresh_token=CgNhYmMSA2FiYw',
      'username=%00&password=%00&credentialId=%ff',
      'req=__proto__&hmac=x&approval=approve',
      `state=${'A'.repeat(43)}:%ff&code=x`,
      'token=..&token=x',
      'label=%00&path=%ff&days=1e9',
      'label=x&path=/&days=1&revoke=__proto__&answer=allow&request=%ff',
      `device_code=${'A'.repeat(9000)}&request=${'_'.repeat(9000)}`,
      'logout_token=e30.e30.&logout_token=x',
      `logout_token=${Buffer.from('{"alg":"RS256"}').toString('base64url')}.${Buffer.from('{"iss":"x","events":null,"aud":[]}').toString('base64url')}.AAAA`,
    ]
    for (const path of paths) {
      for (const body of bodies) {
        const answer = await world.ask(path, { ...form({}), body })
        await expectServed(answer.text, `${path} ${body}`)
      }
    }
    expect(await isAlive()).toBe(200)
  })

  test('random bytes', async () => {
    await Promise.all(
      Array.from({ length: 300 }, async () => {
        const bytes = randomBytes(1 + Math.floor(Math.random() * 300)).toString('latin1')
        await expectServed(await world.raw(`${bytes}\r\n\r\n`), JSON.stringify(bytes))
      }),
    )
    expect(await isAlive()).toBe(200)
  })

  test('random targets and headers, well framed', async () => {
    const text = fc.string({ unit: 'binary-ascii', maxLength: 60 }).map((one) => one.replace(/[\r\n]/g, ''))
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...paths), text, text, async (path, tail, value) => {
        await expectServed(await world.raw(get(path + tail, `X-Value: ${value}`)), JSON.stringify([path, tail, value]))
      }),
      { numRuns: 300 },
    )
    expect(await isAlive()).toBe(200)
  })

  function get(target: string, line = 'X-A: b'): string {
    return `GET ${target} HTTP/1.1\r\nHost: ${world.host}\r\n${line}\r\nConnection: close\r\n\r\n`
  }
})
