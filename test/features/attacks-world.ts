import { writeFileSync } from 'node:fs'
import { createServer, type IncomingMessage } from 'node:http'
import { type AddressInfo, connect } from 'node:net'
import { join } from 'node:path'
import { type WebSocket, WebSocketServer } from 'ws'
import { type TestGatehouse, testGatehouse } from '../world/gatehouse.ts'
import { type HttpClient, httpClient } from '../world/http-client.ts'
import { ada, type PlatformFiles, platformFiles } from '../world/platform-files.ts'

/** An answer as it came over the wire. */
export interface WireAnswer {
  readonly status: number
  /** Lower-case names; a name may come more than once. */
  readonly headers: readonly (readonly [name: string, value: string])[]
  /** The first header of that name. */
  header(name: string): string | undefined
  readonly body: string
  /** Everything that was received, further answers included. */
  readonly text: string
}

/** A whole chain under attack, over real sockets. */
export interface AttackWorld {
  readonly gatehouse: TestGatehouse
  readonly origin: string
  readonly host: string
  /** Sends bytes as they are (Latin-1) and reads until the connection closes; `from` is an address of the loopback net. */
  raw(bytes: string, from?: string): Promise<string>
  /** One request, spelled exactly so: the target as it stands, header lines as they stand. */
  ask(target: string, options?: AskOptions): Promise<WireAnswer>
  /** A scripted browser without cookies; `watch` sees every answer it gets, redirects included. */
  newBrowser(watch?: (answer: WireAnswer) => void): HttpClient
  /** Signs `ada` in at the proxy, by script. @returns her browser and its cookies for paths below `/`. */
  signIn(username?: string): Promise<{ readonly browser: HttpClient; readonly cookie: string }>
  passwordOf(username?: string): string
  close(): Promise<void>
}

/** How a request deviates from a plain `GET`. */
export interface AskOptions {
  readonly method?: string
  /** `Name: value` lines. */
  readonly headers?: readonly string[]
  readonly host?: string
  readonly body?: string
  /** The client's address, `127.0.0.x`; only a chain with a `publicUrl` listens where those reach it. */
  readonly from?: string
}

/** Starts the default chain, or one from a directory. */
export async function attackWorld({
  from,
  publicUrl,
}: {
  from?: string
  /** Where browsers think they are; requests still go to the listener. */
  publicUrl?: string
} = {}): Promise<AttackWorld> {
  const gatehouse = await testGatehouse({
    ...(from === undefined ? {} : { from }),
    ...(publicUrl === undefined ? {} : { publicUrl }),
  })
  const { host } = new URL(gatehouse.publicUrl)
  const raw = (bytes: string, from?: string) => sendRaw(gatehouse.port.used, bytes, from)
  const passwordOf = (username = 'ada') => (from === undefined ? gatehouse.passwordOf(username) : ada.password)
  const ask: AttackWorld['ask'] = async (target, options = {}) => {
    const { method = 'GET', headers = [], host: sent = host, body, from: address } = options
    const length = body === undefined ? [] : [`Content-Length: ${Buffer.byteLength(body, 'latin1')}`]
    const lines = [`${method} ${target} HTTP/1.1`, `Host: ${sent}`, ...headers, ...length, 'Connection: close']
    return parseAnswer(await raw(`${lines.join('\r\n')}\r\n\r\n${body ?? ''}`, address))
  }
  const newBrowser: AttackWorld['newBrowser'] = (watch) => httpClient(fetcherOver(ask, watch))
  return {
    gatehouse,
    origin: gatehouse.publicUrl,
    host,
    raw,
    ask,
    newBrowser,
    passwordOf,
    async signIn(username = 'ada') {
      const browser = newBrowser()
      const page = await browser.follow(`${gatehouse.publicUrl}/echo/`)
      const landed = await browser.submit(page, { username, password: passwordOf(username) })
      if (landed.response.status !== 200) throw new Error(`sign-in ended with ${landed.response.status}`)
      return { browser, cookie: cookieHeader(browser) }
    },
    close: () => gatehouse.close(),
  }
}

/** `fetch` over raw requests: origins that no name server knows are reached, too. */
function fetcherOver(ask: AttackWorld['ask'], watch?: (answer: WireAnswer) => void) {
  return async (url: string, { method = 'GET', headers, body }: RequestInit): Promise<Response> => {
    const { pathname, search } = new URL(url)
    const sent = new Headers(headers)
    if (body instanceof URLSearchParams) sent.set('content-type', 'application/x-www-form-urlencoded')
    const answer = await ask(pathname + search, {
      method,
      headers: [...sent].map(([name, value]) => `${name}: ${value}`),
      ...(body instanceof URLSearchParams ? { body: body.toString() } : {}),
    })
    watch?.(answer)
    const received = new Headers(answer.headers.map(([name, value]) => [name, value] as [string, string]))
    return new Response(answer.body === '' ? null : answer.body, { status: answer.status, headers: received })
  }
}

/** The `Cookie` header a browser sends to apps. */
export function cookieHeader({ cookies }: HttpClient): string {
  const ofRoot = [...cookies.values()].filter(({ path }) => path === '/')
  return ofRoot.map(({ name, value }) => `${name}=${value}`).join('; ')
}

/** The login form of a fresh visitor, by whatever way leads there. */
export async function loginPage(world: AttackWorld, path = '/echo/') {
  const browser = world.newBrowser()
  return { browser, page: await browser.follow(`${world.origin}${path}`) }
}

/**
 * Sends a browser to an authorization endpoint, signs `ada` in where it is asked to, and stops where it would leave for
 * `redirectUri`. @returns that address, with code and state.
 */
export async function authorize(
  world: AttackWorld,
  browser: HttpClient,
  { url, redirectUri }: { url: string; redirectUri: string },
): Promise<URL> {
  let response = await browser.send(new URL(url, world.origin).href)
  let at = url
  for (let hops = 0; hops < 15; hops += 1) {
    const location = response.headers.get('location')
    if (location === null) {
      const action = /action="([^"]*)"/.exec(await response.text())?.[1]?.replaceAll('&amp;', '&')
      if (action === undefined) throw new Error(`a dead end at ${at}: ${response.status}`)
      const body = new URLSearchParams({ username: 'ada', password: world.passwordOf() })
      response = await browser.send(new URL(action, world.origin).href, { method: 'POST', body })
      continue
    }
    at = new URL(location, world.origin).href
    if (at.startsWith(new URL(redirectUri, world.origin).href)) return new URL(at)
    response = await browser.send(at)
  }
  throw new Error(`never came back from ${url}`)
}

/** Posts to a token endpoint. */
export async function redeem(
  world: AttackWorld,
  endpoint: string,
  fields: Readonly<Record<string, string>>,
): Promise<{ readonly status: number; readonly json: Readonly<Record<string, unknown>> }> {
  const { status, body } = await world.ask(endpoint, form(fields))
  return { status, json: JSON.parse(body) as Record<string, unknown> }
}

/** Form fields as a body with the header that goes with it. */
export function form(fields: Readonly<Record<string, string>>): Pick<AskOptions, 'method' | 'headers' | 'body'> {
  return {
    method: 'POST',
    headers: ['Content-Type: application/x-www-form-urlencoded'],
    body: new URLSearchParams(fields).toString(),
  }
}

const patienceMilliseconds = 20_000

function sendRaw(port: number, bytes: string, localAddress?: string): Promise<string> {
  const way = localAddress === undefined ? { host: 'localhost' } : { host: '127.0.0.1', localAddress }
  return new Promise((resolve, reject) => {
    let text = ''
    const socket = connect({ port, ...way }, () => socket.write(bytes, 'latin1'))
    socket.setEncoding('latin1')
    socket.setTimeout(patienceMilliseconds, () => socket.destroy(new Error(`no end of the answer to ${bytes}`)))
    socket.on('data', (chunk: string) => {
      text += chunk
    })
    socket.on('error', (error: NodeJS.ErrnoException) => {
      // A server that refuses a request may reset the connection while the rest of it is still on its way.
      if (error.code === 'ECONNRESET' || error.code === 'EPIPE') resolve(text)
      else reject(error)
    })
    socket.on('close', () => resolve(text))
  })
}

/** Takes the first answer apart; an interim one (100) is skipped. */
export function parseAnswer(text: string): WireAnswer {
  const end = text.indexOf('\r\n\r\n')
  const [statusLine = '', ...lines] = text.slice(0, end < 0 ? undefined : end).split('\r\n')
  const status = Number(/^HTTP\/1\.1 (\d{3})/.exec(statusLine)?.[1] ?? 0)
  const rest = end < 0 ? '' : text.slice(end + 4)
  if (status === 100) return parseAnswer(rest)
  const headers = lines.map((line) => {
    const colon = line.indexOf(':')
    return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()] as const
  })
  const header = (name: string) => headers.find(([found]) => found === name)?.[1]
  const body = header('transfer-encoding') === 'chunked' ? joinChunks(rest) : rest
  return { status, headers, header, body: Buffer.from(body, 'latin1').toString('utf8'), text }
}

function joinChunks(text: string): string {
  let body = ''
  for (let at = 0; ; ) {
    const lineEnd = text.indexOf('\r\n', at)
    const size = Number.parseInt(text.slice(at, lineEnd), 16)
    if (lineEnd < 0 || !(size > 0)) return body
    body += text.slice(lineEnd + 2, lineEnd + 2 + size)
    at = lineEnd + 2 + size + 2
  }
}

/** A request as an app behind the gateway received it. */
export interface ReceivedRequest {
  readonly method: string
  readonly target: string
  /** Names as they came, in order. */
  readonly headers: readonly (readonly [name: string, value: string])[]
}

/** An app of its own process, as the gateway sees it: it records what reaches it, WebSockets included. */
export interface RecordingApp {
  readonly port: number
  readonly received: ReceivedRequest[]
  /** WebSockets that are open. */
  readonly sockets: Set<WebSocket>
  close(): Promise<void>
}

/** Listens on a free port of 127.0.0.1. */
export async function recordingApp(): Promise<RecordingApp> {
  const received: ReceivedRequest[] = []
  const record = (request: IncomingMessage) => {
    const raw = request.rawHeaders
    const headers = raw.flatMap((name, at) => (at % 2 === 0 ? [[name, raw[at + 1] ?? ''] as const] : []))
    received.push({ method: request.method ?? '', target: request.url ?? '', headers })
  }
  const server = createServer((request, response) => {
    record(request)
    response.end('from the app')
  })
  const webSockets = new WebSocketServer({ server })
  webSockets.on('connection', (_, request) => record(request))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    port: (server.address() as AddressInfo).port, // it listens on a port
    received,
    sockets: webSockets.clients,
    close: () =>
      new Promise((resolve) => {
        for (const socket of webSockets.clients) socket.terminate()
        server.closeAllConnections()
        server.close(() => resolve())
      }),
  }
}

/** A platform's files with one app more, at `/app/`. */
export function platformWithApp(app: RecordingApp, files: PlatformFiles = {}): string {
  const directory = platformFiles(files)
  writeFileSync(
    join(directory, 'app.yaml'),
    `apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: { name: app, namespace: kubeflow }
spec:
  gateways: [kubeflow/kubeflow-gateway]
  hosts: ["*"]
  http:
    - match: [{ uri: { prefix: /app/ } }]
      route: [{ destination: { host: 127.0.0.1, port: { number: ${app.port} } } }]
`,
  )
  return directory
}
