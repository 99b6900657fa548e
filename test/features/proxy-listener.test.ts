import { createServer, type IncomingMessage, request, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, expect, test } from 'vitest'
import { systemRandom } from '../../src/kit/random.ts'
import { extAuthzHandler } from '../../src/proxy/transports/ext-authz-http.ts'
import { ada, proxyWorld } from './proxy-world.ts'

let server: Server | undefined
afterEach(() => new Promise((resolve) => (server ? server.close(resolve) : resolve(undefined))))

/** The proxy on a loopback socket, for what only the wire shows. */
async function listening(settings: Record<string, unknown> = {}, pathPrefix = '') {
  const world = await proxyWorld(settings)
  const handler = extAuthzHandler(world.proxy, { random: systemRandom, requestIdHeader: 'X-Request-Id', pathPrefix })
  const opened = createServer(handler)
  server = opened
  await new Promise<void>((resolve) => opened.listen(0, '127.0.0.1', resolve))
  const { port } = opened.address() as AddressInfo
  const send = (path: string, { method = 'GET', headers = {}, body = '' } = {}) =>
    new Promise<{ status: number; headers: IncomingMessage['headers']; text: string }>((resolve, reject) => {
      const sent = request({ host: '127.0.0.1', port, path, method, headers, agent: false }, (response) => {
        let text = ''
        response.setEncoding('utf8').on('data', (chunk) => {
          text += chunk
        })
        response.on('end', () => resolve({ status: response.statusCode ?? 0, headers: response.headers, text }))
      })
      sent.on('error', reject).end(body)
    })
  return { ...world, send }
}

test('Envoy asks at the original path: 200 with the identity or the login page', async () => {
  const { browser, signIn, send } = await listening()
  const refused = await send('/pipeline/?x=1')
  expect([refused.status, refused.headers['content-type']]).toEqual([403, 'text/html; charset=utf-8'])
  expect(refused.headers['content-length']).toBe(String(Buffer.byteLength(refused.text)))
  await signIn()
  for (let round = 0; round < 2; round += 1) {
    const allowed = await send('/pipeline/?x=1', { headers: { cookie: browser.cookieHeader } })
    expect([allowed.status, allowed.text]).toEqual([200, 'Authenticated'])
    expect(allowed.headers['x-auth-request-email']).toBe(ada.email)
    expect(allowed.headers['content-length']).toBe('13')
  }
})

test('nginx asks /oauth2/auth, kubelet the probes', async () => {
  const { browser, signIn, send } = await listening()
  await signIn()
  expect((await send('/oauth2/auth')).status).toBe(401)
  expect((await send('/oauth2/auth', { headers: { cookie: browser.cookieHeader } })).status).toBe(202)
  expect((await send('/ping')).text).toBe('OK')
})

test('a request target with a host is judged by its path; a target that is no path is a 400', async () => {
  const { send } = await listening()
  expect((await send('http://other/dex/keys')).status).toBe(200)
  expect((await send('http://other')).status).toBe(403)
  expect((await send('*', { method: 'OPTIONS' })).status).toBe(400)
})

test('several cookies are several headers, and a posted form is read', async () => {
  const { browser, begin, send } = await listening()
  const callback = new URL(await begin('/page'), 'http://x')
  const body = callback.search.slice(1)
  const headers = { cookie: browser.cookieHeader, 'content-type': 'application/x-www-form-urlencoded' }
  const answer = await send('/oauth2/callback', { method: 'POST', headers, body })
  expect(answer.headers.location).toBe('/page')
  expect(answer.headers['set-cookie']).toHaveLength(2)
  const large = await send('/oauth2/callback', { method: 'POST', headers, body: 'x'.repeat(70_000) })
  expect(large.status).toBe(413)
})

test("an error page carries the caller's request id", async () => {
  const { send } = await listening()
  expect((await send('/oauth2/callback?code=x', { headers: { 'x-request-id': 'abc-123' } })).text).toContain('abc-123')
  expect((await send('/oauth2/callback?code=x')).text).toMatch(/Request <code>[\w-]+-\d+<\/code>/)
})

test.each([['/extauth'], ['/extauth/']])(
  "Emissary's path_prefix %s is taken away once, from its own paths, too",
  async (prefix) => {
    const { send } = await listening({}, prefix)
    expect((await send(`${prefix}/dex/keys`)).status).toBe(200)
    expect((await send(`${prefix}/pipeline/`)).status).toBe(403)
    expect((await send(`${prefix}/oauth2/start?rd=/x`)).status).toBe(302)
    expect((await send(`${prefix}${prefix}/dex/keys`)).status).toBe(403)
    expect((await send('/extauthdex/keys')).status).toBe(403)
    expect((await send('/dex/keys')).status).toBe(200)
  },
)
