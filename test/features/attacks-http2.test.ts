import type { AddressInfo } from 'node:net'
import { createServer, type Server } from 'node:net'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { endHeaders, endStream, exchangeFrames, frame, headerBlock, opening } from '../corpus/http2-frames.ts'
import { type AttackWorld, attackWorld, platformWithApp } from './attacks-world.ts'

/** An app that notes each byte it gets: what a request over HTTP/2 has become. */
let app: Server
let received = ''
let world: AttackWorld
let cookie = ''
beforeAll(async () => {
  app = createServer((socket) => {
    socket.setEncoding('latin1').on('error', () => {})
    socket.on('data', (text: unknown) => {
      received += text
      if (received.endsWith('\r\n\r\n') || received.endsWith('the end')) {
        socket.end('HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok')
      }
    })
  })
  await new Promise<void>((resolve) => app.listen(0, '127.0.0.1', resolve))
  const { port } = app.address() as AddressInfo // it listens on a port
  world = await attackWorld({ from: platformWithApp({ port } as Parameters<typeof platformWithApp>[0]) })
  cookie = (await world.signIn()).cookie
})
afterAll(async () => {
  await world.close()
  app.close()
})

type Field = readonly [name: string, value: string]

/** A request of a user who is signed in, and the lines that reach the app. */
async function ask(fields: readonly Field[], { body = '', left = [] }: { body?: string; left?: string[] } = {}) {
  received = ''
  const usual: Field[] = [
    [':method', body === '' ? 'GET' : 'POST'],
    [':scheme', 'http'],
    [':path', '/app/x'],
    [':authority', world.host],
    ['cookie', cookie],
  ]
  const pseudo = fields.filter(([name]) => name.startsWith(':')).map(([name]) => name)
  const all = [...usual.filter(([name]) => !pseudo.includes(name) && !left.includes(name)), ...fields]
  const ordered = [...all.filter(([name]) => name.startsWith(':')), ...all.filter(([name]) => !name.startsWith(':'))]
  const flags = endHeaders | (body === '' ? endStream : 0)
  const data = body === '' ? [] : [frame('data', { stream: 1, flags: endStream, payload: Buffer.from(body) })]
  const head = frame('headers', { stream: 1, flags, payload: headerBlock(ordered) })
  const outcome = await exchangeFrames(Buffer.concat([opening(), head, ...data]), { port: world.gatehouse.port.used })
  return { outcome, received, requests: received.split(/^(?:[A-Z]+) \/[^\r]* HTTP\/1\.1\r\n/m).length - 1 }
}

test('a plain request is one request', async () => {
  const { outcome, requests, received } = await ask([])
  expect([outcome, requests]).toEqual(['status 200', 1])
  expect(received).toContain('ada@example.com')
})

const evil = 'GET /stolen HTTP/1.1\r\nHost: x\r\n\r\n'
describe('no field of HTTP/2 becomes a line or a request of HTTP/1.1', () => {
  const cases: readonly (readonly [string, readonly Field[]])[] = [
    ['a line end in a name', [['x\r\nstolen', 'y']]],
    ['a line end in a value', [['x-a', 'b\r\nstolen: 1']]],
    ['a lone line feed in a value', [['x-a', 'b\nstolen: 1']]],
    ['a lone carriage return in a value', [['x-a', 'b\rstolen: 1']]],
    ['a zero in a value', [['x-a', 'b\0stolen: 1']]],
    ['a colon in a name', [['stolen: 1', 'y']]],
    ['a space in a name', [['stolen 1', 'y']]],
    ['capitals in a name', [['Stolen', 'y']]],
    ['an empty name', [['', 'stolen']]],
    ['a whole request in a value', [['x-a', `b\r\n\r\n${evil}`]]],
    ['a whole request in the path', [[':path', `/app/x HTTP/1.1\r\nHost: a\r\n\r\n${evil}`]]],
    ['a space in the path', [[':path', '/app/x HTTP/1.1 stolen']]],
    ['a tab in the path', [[':path', '/app/x\tstolen']]],
    ['a whole request in the method', [[':method', `GET /app/x HTTP/1.1\r\n\r\n${evil}`]]],
    ['a space in the method', [[':method', 'GET /stolen']]],
    ['a line end in the authority', [[':authority', 'a\r\nstolen: 1']]],
    ['a space in the authority', [[':authority', 'a stolen']]],
    ['a user in the authority', [[':authority', 'stolen@a']]],
    ['a path in the authority', [[':authority', 'a/stolen']]],
    ['a line end in the scheme', [[':scheme', 'http\r\nstolen: 1']]],
    [
      'chunks that are none',
      [
        ['transfer-encoding', 'chunked'],
        ['x-stolen', '1'],
      ],
    ],
    [
      'a connection header',
      [
        ['connection', 'x-stolen'],
        ['x-stolen', '1'],
      ],
    ],
    ['an upgrade', [['upgrade', 'stolen']]],
    ['te but trailers', [['te', 'stolen']]],
    [
      'a path twice',
      [
        [':path', '/app/x'],
        [':path', '/stolen'],
      ],
    ],
    [
      'a method twice',
      [
        [':method', 'GET'],
        [':method', 'STOLEN'],
      ],
    ],
    ['an unknown pseudo header', [[':stolen', 'x']]],
    [
      'a protocol',
      [
        [':method', 'CONNECT'],
        [':protocol', 'websocket'],
        ['x-stolen', '1'],
      ],
    ],
    [
      'CONNECT',
      [
        [':method', 'CONNECT'],
        [':authority', '127.0.0.1:22'],
        ['x-stolen', '1'],
      ],
    ],
    ['an absolute path', [[':path', 'http://stolen/app/x']]],
    [
      'a path of a star',
      [
        [':path', '*'],
        ['x-stolen', '1'],
      ],
    ],
    [
      'an empty path',
      [
        [':path', ''],
        ['x-stolen', '1'],
      ],
    ],
    ['another host', [['host', 'stolen']]],
    [
      'two hosts',
      [
        ['host', 'a'],
        ['host', 'stolen'],
      ],
    ],
  ]

  test.each(cases)('%s', async (_, fields) => {
    const { outcome, received, requests } = await ask(fields)
    expect(outcome).not.toMatch(/status 5/)
    expect(received.toLowerCase()).not.toContain('stolen')
    // nghttp2 drops a field it cannot read before anybody judges it: then the rest is one request
    expect(requests).toBe(outcome === 'status 200' ? 1 : 0)
  })

  test.each([
    ['shorter than told', '5', 'the end'],
    ['longer than told', '50', 'the end'],
    ['of two lengths', '7, 7', 'the end'],
    ['of a negative length', '-7', 'the end'],
    ['of a length with a sign', '+7', 'the end'],
    ['of a length beyond all', '99999999999999999999', 'the end'],
  ])('a body %s', async (_, length, body) => {
    const { outcome, requests } = await ask([['content-length', length]], { body })
    expect(outcome).not.toMatch(/status 2/)
    expect(requests).toBeLessThanOrEqual(1)
  })

  test('a body that looks like a request is a body', async () => {
    const { requests, received } = await ask([], { body: `0\r\n\r\n${evil}the end` })
    expect(received).toMatch(/\r\n(?:transfer-encoding: chunked|content-length: \d+)\r\n/i)
    const [, chunk = ''] = received.split('\r\n\r\n')
    expect(chunk).toMatch(/^[0-9a-f]+\r\n0$|^0$/)
    expect(requests).toBe(2) // the one, and the text of the other within its body
  })
})

describe('over HTTP/2, too', () => {
  test('what a fragment hides is no path', async () => {
    for (const path of ['/dex/#/../app/x', '/app/x#/dex/', '/dex/..%2fapp/x#']) {
      const { outcome } = await ask([[':path', path]], { left: ['cookie'] })
      expect(outcome, path).not.toBe('status 200')
      expect(received, path).toBe('')
    }
  })

  test('nobody says who they are', async () => {
    const { received } = await ask([
      ['kubeflow-userid', 'root'],
      ['kubeflow_userid', 'root'],
      ['x-auth-request-email', 'root'],
      ['x-forwarded-user', 'root'],
    ])
    expect(received).toContain('ada@example.com')
    expect(received).not.toContain('root')
  })

  test('two Authorization headers are none', async () => {
    const { outcome, received } = await ask([
      ['authorization', 'Bearer a'],
      ['authorization', 'Bearer b'],
    ])
    expect([outcome === 'status 200', received]).toEqual([false, ''])
  })

  test('a cookie in pieces is one cookie', async () => {
    const [first = '', ...rest] = cookie.split('; ')
    const { outcome } = await ask(
      [['cookie', first], ...rest.map((one): Field => ['cookie', one]), ['cookie', 'a=b']],
      {
        left: ['cookie'],
      },
    )
    expect(outcome).toBe('status 200')
    expect(received).not.toContain(first)
  })
})
