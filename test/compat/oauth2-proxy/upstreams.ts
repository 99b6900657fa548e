import { once } from 'node:events'
import { mkdirSync, utimesSync, writeFileSync } from 'node:fs'
import { createServer, type IncomingMessage, request } from 'node:http'
import { join } from 'node:path'
import { WebSocket, WebSocketServer } from 'ws'
import { systemClock } from '../../../src/kit/clock.ts'
import { systemRandom } from '../../../src/kit/random.ts'
import { openSessionCodec } from '../../../src/proxy/sessions/session-codec.ts'

/** A request to the proxy, by somebody who is signed in unless told otherwise. */
export interface UpstreamCase {
  readonly what: string
  readonly path: string
  readonly method?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string
  readonly isWebSocket?: boolean
  readonly isAnonymous?: boolean
  /** Put to a proxy that has no upstream for every path. */
  readonly isFew?: boolean
  /** What we answer on purpose, where that is not what oauth2-proxy does. */
  readonly ours?: Partial<Observation>
}

/** What came of it. */
export interface Observation {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  /** Empty for pages and redirects. */
  readonly body: string
  /** What the app was asked; absent where it was not. */
  readonly heard?: Heard
}

interface Heard {
  readonly method: string
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

/** Of every answer to who is signed in. */
const told = { 'gap-auth': 'ada@example.com', 'x-who': 'ada@example.com' }

/** Requests, most of them odd. */
export const upstreamCases: readonly UpstreamCase[] = [
  { what: 'the root', path: '/' },
  { what: 'a query', path: '/x?a=1&b=%20&c=d+e' },
  { what: 'an empty query', path: '/x?' },
  { what: 'a question mark in a query', path: '/x?a=?b' },
  { what: 'a semicolon', path: '/a;b?c;d' },
  { what: 'a broken escape in a query', path: '/a?%zz' },
  {
    what: 'a broken escape',
    path: '/%zz',
    ours: { headers: { 'content-type': 'text/plain; charset=utf-8' }, body: 'Bad Request\n' },
  },
  { what: 'an escaped letter', path: '/%41bc' },
  { what: 'marks', path: "/a'b(c)!*[d]@:$&+,=~" },
  { what: 'a pipe', path: '/a|b' },
  { what: 'a backslash', path: '/a\\b' },
  { what: 'an escaped backslash', path: '/a%5Cb' },
  { what: 'UTF-8, escaped', path: '/%C3%A9' },
  { what: 'bytes that are no UTF-8', path: '/%ff%fe' },
  { what: 'an escaped zero byte', path: '/a%00b' },
  { what: 'an escaped hash', path: '/a%23b' },
  { what: 'an escaped percent sign', path: '/a%2525b' },
  { what: 'an escaped slash', path: '/a%2Fb' },
  { what: 'an escaped slash in lower case', path: '/a%2fb/c' },
  { what: 'an escaped slash at the start', path: '/%2F/x' },
  { what: 'escaped dots', path: '/a/%2e%2e/b' },
  { what: 'escaped dots and slash', path: '/a%2f..%2fb' },
  { what: 'double slashes', path: '/a//b' },
  { what: 'double slashes with a query', path: '/a//b?x=//y' },
  { what: 'only slashes', path: '///' },
  { what: 'dots', path: '/a/../b' },
  { what: 'dots beyond the root', path: '/../../b' },
  { what: 'a dot', path: '/a/./b' },
  { what: 'a dot at the end', path: '/a/.' },
  { what: 'dots at the end', path: '/a/..' },
  { what: 'three dots', path: '/a/...' },
  {
    what: 'double slashes beside an escape, which the original escapes again',
    path: '/a%20b//c',
    ours: { headers: { location: '/a%20b/c' } },
  },
  { what: 'an exact path', path: '/only/exact', isFew: true },
  { what: 'below an exact path', path: '/only/exact/', isFew: true },
  { what: 'a prefix', path: '/only/some/x', isFew: true },
  { what: 'a missing slash', path: '/only/some', isFew: true },
  {
    what: 'a missing slash before a query, which the original puts behind it',
    path: '/only/some?q=1',
    isFew: true,
    ours: { headers: { ...told, location: '/only/some/?q=1' } },
  },
  { what: 'nothing', path: '/only/other', isFew: true },
  { what: 'a prefix by an escaped slash', path: '/only%2Fsome/x', isFew: true },
  { what: 'another host for the app', path: '/host/x' },
  { what: 'a rewrite', path: '/rw/a/b?x=2&a=%20b' },
  { what: 'a rewrite of an escaped slash', path: '/rw/a%2Fb' },
  { what: 'a rewrite of an escaped hash', path: '/rw/%23x' },
  { what: 'a rewrite of the middle', path: '/people/ada/home' },
  { what: 'a longer rewrite', path: '/rw/long/x' },
  { what: 'a static upstream', path: '/static' },
  { what: 'an app that is down', path: '/down/x' },
  { what: 'a file', path: '/files/a.txt' },
  { what: 'a range of a file', path: '/files/a.txt', headers: { range: 'bytes=2-5' } },
  { what: 'the end of a file', path: '/files/a.txt', headers: { range: 'bytes=-3' } },
  { what: 'a range beyond a file', path: '/files/a.txt', headers: { range: 'bytes=99-' } },
  {
    what: 'a file that has not changed',
    path: '/files/a.txt',
    headers: { 'if-modified-since': 'Mon, 01 Jun 2026 12:00:00 GMT' },
  },
  { what: 'the head of a file', path: '/files/a.txt', method: 'HEAD' },
  { what: 'a directory', path: '/files/bare/' },
  { what: 'a directory with an index', path: '/files/docs/' },
  { what: 'a directory without its slash', path: '/files/docs?x=1' },
  { what: 'an index by its name', path: '/files/docs/index.html' },
  { what: 'a file with a slash', path: '/files/a.txt/' },
  { what: 'no file', path: '/files/none' },
  { what: 'a file behind an escaped slash', path: '/files%2Fa.txt' },
  { what: 'a rewritten file', path: '/moved/a.txt' },
  { what: 'out of the directory', path: '/files/%2e%2e/%2e%2e/etc/passwd' },
  { what: 'a posted body', path: '/post', method: 'POST', body: 'a=1', headers: { 'content-type': 'text/plain' } },
  { what: 'another method', path: '/x', method: 'DELETE' },
  { what: 'the head of an answer', path: '/x', method: 'HEAD' },
  { what: 'forwarded already', path: '/x', headers: { 'x-forwarded-for': '10.0.0.1, 10.0.0.2' } },
  { what: 'another cookie', path: '/x', headers: { cookie: 'theme=dark' } },
  {
    what: 'identity headers of the client',
    path: '/x',
    headers: { 'X-Forwarded-User': 'admin', X_Forwarded_Email: 'a' },
  },
  { what: 'hop-by-hop headers', path: '/x', headers: { connection: 'close, x-hop', 'x-hop': '1', 'keep-alive': '5' } },
  { what: 'a WebSocket', path: '/ws?x=1', isWebSocket: true },
  { what: 'a WebSocket under another host', path: '/host/ws', isWebSocket: true },
  { what: 'a WebSocket to an app that is down', path: '/down/ws', isWebSocket: true },
  { what: 'a WebSocket that the app does not want', path: '/no', isWebSocket: true },
  { what: 'a WebSocket of nobody', path: '/ws', isWebSocket: true, isAnonymous: true, ours: { status: 401 } },
]

/** An app that tells what it was asked and speaks WebSocket, and the files of another upstream. */
export interface UpstreamApp {
  readonly port: number
  /** What it was asked since it was last asked for this. */
  take(): Heard | undefined
  close(): Promise<void>
}

/** Opens the app. */
export async function openUpstreamApp(): Promise<UpstreamApp> {
  let heard: Heard | undefined
  const hear = ({ method = '', url = '', headers }: IncomingMessage, body: string) => {
    heard = { method, url, headers: headers as Record<string, string>, body }
  }
  const server = createServer(async (asked, answer) => {
    let body = ''
    for await (const chunk of asked) body += chunk
    hear(asked, body)
    answer.writeHead(200, { 'content-type': 'text/plain', 'x-app': 'yes', 'set-cookie': 'app=1' })
    answer.end('answer')
  })
  const isWelcome = ({ req }: { req: IncomingMessage }) => req.url !== '/no'
  const sockets = new WebSocketServer({ server, verifyClient: isWelcome })
  sockets.on('connection', (socket, asked) => {
    hear(asked, '')
    socket.on('message', (text) => socket.send(`heard ${text}`))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  return {
    port: typeof address === 'object' && address ? address.port : 0,
    take() {
      const taken = heard
      heard = undefined
      return taken
    },
    close: () =>
      new Promise((resolve) => {
        for (const client of sockets.clients) client.terminate()
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

const secret = '0123456789abcdef0123456789abcdef'

/** Writes the alpha file and the files into a directory. @returns the flags to start either program with */
export function writeUpstreamConfiguration(
  directory: string,
  { proxy, app: appPort, isFew }: { proxy: number; app: number; isFew: boolean },
): string[] {
  const www = join(directory, 'www')
  for (const name of ['docs', 'bare/sub']) mkdirSync(join(www, name), { recursive: true })
  const files = { 'a.txt': 'hello world\n', 'docs/index.html': '<h1>docs</h1>', 'bare/b c&.json': '{}' }
  for (const [name, text] of Object.entries(files)) writeFileSync(join(www, name), text)
  const modified = new Date('2026-06-01T12:00:00Z')
  for (const name of [...Object.keys(files), 'bare/sub', 'bare', 'docs', '.'])
    utimesSync(join(www, name), modified, modified)
  const app = `http://127.0.0.1:${appPort}`
  const file = join(directory, 'alpha.yaml')
  writeFileSync(
    file,
    JSON.stringify({
      server: { bindAddress: `127.0.0.1:${proxy}` },
      upstreamConfig: {
        upstreams: [
          ...(isFew ? [] : [{ id: 'root', path: '/', uri: app }]),
          { id: 'exact', path: '/only/exact', uri: app },
          { id: 'some', path: '/only/some/', uri: app },
          { id: 'host', path: '/host/', uri: `${app}/ignored`, passHostHeader: false },
          { id: 'rewrite', path: '^/rw/(.*)$', rewriteTarget: '/new/$1?x=1', uri: app },
          { id: 'longer', path: '^/rw/long/(.*)$', rewriteTarget: '/longer/$1', uri: app },
          { id: 'middle', path: '^/people/([a-z]+)/home$', rewriteTarget: '/users/$1', uri: app },
          { id: 'static', path: '/static', static: true, staticCode: 202 },
          { id: 'down', path: '/down/', uri: 'http://127.0.0.1:1' },
          { id: 'files', path: '/files/', uri: `file://${www}` },
          { id: 'moved', path: '^/moved/(.*)$', rewriteTarget: '/$1', uri: `file://${www}` },
        ],
      },
      injectRequestHeaders: [
        header('X-Forwarded-User', 'user'),
        header('X-Forwarded-Email', 'email'),
        header('X-Forwarded-Groups', 'groups'),
        { name: 'X-Secret', values: [{ secretSource: { value: 'word' } }] },
      ],
      injectResponseHeaders: [header('X-Who', 'email')],
      providers: [
        {
          ...{ id: 'sso', provider: 'oidc', clientID: 'id', clientSecret: 'shh' },
          ...{ loginURL: 'http://127.0.0.1:1/auth', redeemURL: 'http://127.0.0.1:1/token' },
          oidcConfig: { issuerURL: 'http://127.0.0.1:1/', skipDiscovery: true, jwksURL: 'http://127.0.0.1:1/keys' },
        },
      ],
    }),
  )
  return [
    ...[`--alpha-config=${file}`, `--cookie-secret=${secret}`, '--cookie-secure=false', '--email-domain=*'],
    '--redirect-url=http://app.example/oauth2/callback',
  ]
}

const header = (name: string, claim: string) => ({ name, values: [{ claimSource: { claim } }] })

const codec = openSessionCodec({
  ...{ name: '_oauth2_proxy', lifetimeSeconds: 604_800, clock: systemClock, random: systemRandom },
  keys: { secret, key: Buffer.from(secret, 'base64url') },
})

/** A proxy, with or without an upstream for every path. */
export interface UpstreamProxies {
  readonly all: number
  readonly few: number
}

/** Puts a request to a proxy and tells what came of it, without what is told of every answer. */
export async function observe(
  one: UpstreamCase,
  { ports, app }: { ports: UpstreamProxies; app: UpstreamApp },
): Promise<Observation> {
  const proxy = one.isFew ? ports.few : ports.all
  app.take()
  const session = { createdAt: Date.now(), email: 'ada@example.com', user: 'u-1', groups: ['math', 'engines'] }
  const own = one.isAnonymous ? '' : `_oauth2_proxy=${codec.seal(session)}`
  const cookie = [own, one.headers?.['cookie'] ?? ''].filter(Boolean).join('; ')
  const headers = { ...one.headers, host: 'app.example', ...(cookie === '' ? {} : { cookie }) }
  const answer = await (one.isWebSocket ? dial(proxy, one, headers) : send(proxy, one, headers))
  const heard = app.take()
  return { ...answer, ...(heard ? { heard: asCompared(heard, app.port) } : {}) }
}

const comparedHeaders = [
  'location',
  'content-range',
  'last-modified',
  'accept-ranges',
  'gap-auth',
  'x-who',
  'x-app',
  'set-cookie',
]

function answerOf({ statusCode: status = 0, headers }: IncomingMessage, body: string): Observation {
  const isOwn = status === 301 || status === 403 || status === 502 || status === 401
  const compared = [...comparedHeaders, ...(isOwn || status === 304 ? [] : ['content-type'])]
  const shown = compared.flatMap((name) => (headers[name] === undefined ? [] : [[name, String(headers[name])]]))
  return { status, headers: Object.fromEntries(shown) as Record<string, string>, body: isOwn ? '' : body }
}

type Sent = Readonly<Record<string, string>>

async function send(port: number, { path, method = 'GET', body }: UpstreamCase, headers: Sent): Promise<Observation> {
  const sent = request({ host: '127.0.0.1', port, path, method, agent: false, headers })
  sent.end(body)
  const [answer] = (await once(sent, 'response')) as [IncomingMessage]
  let text = ''
  for await (const chunk of answer) text += chunk
  return answerOf(answer, text)
}

async function dial(port: number, { path }: UpstreamCase, headers: Sent): Promise<Observation> {
  const socket = new WebSocket(`ws://127.0.0.1:${port}${path}`, { headers })
  return new Promise((resolve, reject) => {
    let opened: IncomingMessage
    socket.on('upgrade', (answer) => {
      opened = answer
    })
    socket.on('open', () => socket.send('hello'))
    socket.on('message', (text) => {
      resolve(answerOf(opened, String(text)))
      socket.terminate()
    })
    socket.on('unexpected-response', (_, answer) => {
      resolve(answerOf(answer, ''))
      answer.resume()
    })
    socket.on('error', reject)
  })
}

/**
 * Without what differs by design: our own cookie is not forwarded, who forwarded is told (docs/OAUTH2-PROXY.md), and
 * Go's client asks for gzip by itself.
 */
function asCompared({ headers, ...heard }: Heard, port: number): Heard {
  const left = new Set(['connection', 'accept-encoding', 'x-forwarded-host', 'x-forwarded-proto', 'sec-websocket-key'])
  const kept: Record<string, string> = {}
  for (const [name, value] of Object.entries(headers).toSorted(([a], [b]) => (a < b ? -1 : 1))) {
    const cookies = name === 'cookie' ? value.split('; ').filter((one) => !one.startsWith('_oauth2_proxy=')) : undefined
    if (left.has(name) || cookies?.length === 0) continue
    kept[name] = (cookies?.join('; ') ?? value).replaceAll(String(port), 'PORT')
  }
  return { ...heard, headers: kept }
}
