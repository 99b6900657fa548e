import { connect } from 'node:net'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type ProgramWorld, programWorld } from './oauth2-proxy-world.ts'

// Requests no HTTP client writes, to the listener of `gatehouse oauth2-proxy`; `attacks-wire.test.ts` has those to the
// gateway.

let world: ProgramWorld
beforeAll(async () => {
  world = await programWorld()
})
afterAll(() => world.end())

/** Sends bytes as they are. @returns the status of every answer until the connection closes */
function statusesOf(bytes: string): Promise<number[]> {
  return new Promise((resolve, reject) => {
    let text = ''
    const socket = connect(world.running.ports.plain ?? 0, '127.0.0.1', () => socket.write(bytes, 'latin1'))
    socket.setEncoding('latin1').on('data', (chunk: string) => {
      text += chunk
    })
    socket.on('error', reject)
    socket.on('close', () => resolve([...text.matchAll(/^HTTP\/1\.1 (\d{3})/gm)].map(([, status]) => Number(status))))
  })
}

const hidden = 'GET /open HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n'
const end = 'Connection: close\r\n\r\n'

test('it answers what is well formed, so that the refusals below mean something', async () => {
  expect(await statusesOf(hidden)).toEqual([202])
})

test.each([
  ['two hosts', `GET /open HTTP/1.1\r\nHost: a\r\nHost: b\r\n${end}`],
  ['two hosts, at an endpoint of ours', `GET /oauth2/start HTTP/1.1\r\nHost: a\r\nhOST: b\r\n${end}`],
  ['the same host twice', `GET /open HTTP/1.1\r\nHost: a\r\nHost: a\r\n${end}`],
  ['no host', `GET /open HTTP/1.1\r\n${end}`],
  [
    'both lengths',
    `POST /open HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n${hidden}`,
  ],
  ['two lengths', `POST /open HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\nContent-Length: 5\r\n\r\n${hidden}`],
  ['a space before the colon', `GET /open HTTP/1.1\r\nHost: a\r\nX-Forwarded-User : root\r\n${end}`],
  ['a folded header', `GET /open HTTP/1.1\r\nHost: a\r\nX-A: b\r\n X-Forwarded-User: root\r\n${end}`],
  ['a target that is none', `GET open HTTP/1.1\r\nHost: a\r\n${end}`],
  ['another scheme', `GET file:///open HTTP/1.1\r\nHost: a\r\n${end}`],
])('a request with %s is a 400, and nothing behind it is answered', async (_, bytes) => {
  expect(await statusesOf(bytes)).toEqual([400])
})

test.each([
  '/?a;b',
  '/?%',
  '/oauth2/auth?allowed_groups=%zz;x',
  '/oauth2/start?rd=%00;%ff',
  '/oauth2/callback?%&;&&==',
])('a query that cannot be read is no server error: %s', async (target) => {
  const [status = 0] = await statusesOf(`GET ${target} HTTP/1.1\r\nHost: a\r\n${end}`)
  expect([200, 302, 400, 401, 403, 503]).toContain(status) // the issuer of this program is never there: 503
})
