import { connect } from 'node:net'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { catchAllRoute, type GatewayWorld, gatewayWorld } from './gateway-world.ts'

let world: GatewayWorld
beforeAll(async () => {
  world = await gatewayWorld({ yaml: catchAllRoute })
})
afterAll(() => world.close())

/** Sends bytes as they are and reads until the gateway closes the connection. */
function sendRaw(bytes: string): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = ''
    const socket = connect(world.port, '127.0.0.1', () => socket.write(bytes, 'latin1'))
    socket.setEncoding('latin1')
    socket.on('data', (chunk: string) => {
      text += chunk
    })
    socket.on('close', () => resolve(text))
    socket.on('error', reject)
  })
}

const head = 'POST /x HTTP/1.1\r\nHost: a.example\r\n'
const smuggled = 'GET /smuggled HTTP/1.1\r\nHost: a.example\r\nConnection: close\r\n\r\n'

test.each([
  ['both lengths', `${head}Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n${smuggled}`],
  ['two different lengths', `${head}Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello!${smuggled}`],
  ['a list of lengths', `${head}Content-Length: 5, 5\r\n\r\nhello${smuggled}`],
  ['a signed length', `${head}Content-Length: +5\r\n\r\nhello${smuggled}`],
  ['an unknown coding', `${head}Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n${smuggled}`],
  ['chunked that is not last', `${head}Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n${smuggled}`],
  ['a bad chunk size', `${head}Transfer-Encoding: chunked\r\n\r\nzz\r\nhello\r\n0\r\n\r\n${smuggled}`],
  ['a chunk longer than it says', `${head}Transfer-Encoding: chunked\r\n\r\n2\r\nhello\r\n0\r\n\r\n${smuggled}`],
  ['a chunk ended by a bare line feed', `${head}Transfer-Encoding: chunked\r\n\r\n5\nhello\n0\n\n${smuggled}`],
  ['a folded header', `${head}X-A: b\r\n kubeflow-userid: evil\r\nContent-Length: 0\r\n\r\n${smuggled}`],
  ['a space before the colon', `${head}kubeflow-userid : evil\r\nContent-Length: 0\r\n\r\n${smuggled}`],
  ['no Host', `GET /x HTTP/1.1\r\nConnection: close\r\n\r\n${smuggled}`],
  ['two Hosts', `GET /x HTTP/1.1\r\nHost: a.example\r\nHost: b.example\r\nConnection: close\r\n\r\n${smuggled}`],
  ['a Host that is none', `GET /x HTTP/1.1\r\nHost: a"b\r\nConnection: close\r\n\r\n${smuggled}`],
  ['a NUL in a header', `${head}X-A: a\0b\r\nContent-Length: 0\r\n\r\n${smuggled}`],
  ['a bare carriage return', `${head}X-A: a\rkubeflow-userid: evil\r\nContent-Length: 0\r\n\r\n${smuggled}`],
])('%s is refused, and nothing behind it is served', async (_, bytes) => {
  const before = world.seen.length
  const answer = await sendRaw(bytes)
  expect(answer).toMatch(/^HTTP\/1\.1 400 /)
  expect(answer.match(/HTTP\/1\.1 /g)).toHaveLength(1)
  const later = world.seen.slice(before)
  expect(later.map(({ url }) => url)).not.toContain('/smuggled')
  expect(JSON.stringify(later)).not.toContain('evil')
})

test('two requests on one connection are two requests', async () => {
  const before = world.seen.length
  await sendRaw(`${head}Content-Length: 5\r\n\r\nhello${smuggled}`)
  expect(world.seen.slice(before).map(({ url, body }) => [url, body])).toEqual([
    ['/x', 'hello'],
    ['/smuggled', ''],
  ])
})

test('chunks are put together anew for the app', async () => {
  const chunked = `${head}Connection: close\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nhel\r\n2;ext=1\r\nlo\r\n0\r\n\r\n`
  expect(await sendRaw(chunked)).toContain('from the app')
  expect(world.seen.at(-1)).toMatchObject({ url: '/x', body: 'hello' })
})

test('an upgrade to HTTP/2 is not taken up', async () => {
  const before = world.seen.length
  const answer = await sendRaw(
    'GET /x HTTP/1.1\r\nHost: a.example\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n\r\n',
  )
  expect(answer).toMatch(/^HTTP\/1\.1 200 [\s\S]*from the app$/)
  const [seen] = world.seen.slice(before)
  expect(Object.keys(seen?.headers ?? {})).not.toEqual(expect.arrayContaining(['upgrade']))
  expect(Object.keys(seen?.headers ?? {})).not.toEqual(expect.arrayContaining(['http2-settings']))
})
