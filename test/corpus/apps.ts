import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { Http2Server } from 'node:http2'
import type { AddressInfo } from 'node:net'
import { createCheckServer } from './check-server.ts'

/** What stands behind every gateway of the corpus: apps that tell what they received, and a provider. */
export interface Apps {
  readonly appPort: number
  readonly providerPort: number
  /** Where the tables' services are, by the first label of their names. */
  portOf(host: string): number
  close(): Promise<void>
}

export async function openApps(): Promise<Apps> {
  const [app, other, provider] = [createServer(echo('app')), createServer(echo('other')), createServer(authorise)]
  const checks = createCheckServer()
  const servers = [app, other, provider, checks] as const
  const [appPort, otherPort, providerPort, checksPort] = await Promise.all([
    listen(app),
    listen(other),
    listen(provider),
    listen(checks),
  ])
  const ports: Readonly<Record<string, number>> = {
    auth: providerPort,
    'grpc-auth': checksPort,
    other: otherPort,
    down: 1,
  }
  return {
    appPort,
    providerPort,
    portOf: (host) => ports[host.split('.')[0] ?? ''] ?? appPort,
    async close() {
      await Promise.all(servers.map(stop))
    },
  }
}

/** What an app received. */
export interface Received {
  /** Which app. */
  readonly app: string
  readonly method: string
  readonly target: string
  /** Names in lower case. */
  readonly headers: readonly (readonly [string, string])[]
  readonly body: string
}

/** Answers 503 to as many tries as `x-fails` says, and after `x-delay` milliseconds. */
const echo = (app: string) => (request: IncomingMessage, response: ServerResponse) => {
  const { method = '', url = '', rawHeaders } = request
  const headers = rawHeaders.flatMap((name, at): [string, string][] =>
    at % 2 === 0 ? [[name.toLowerCase(), rawHeaders[at + 1] ?? '']] : [],
  )
  const chunks: Buffer[] = []
  request.on('data', (chunk: Buffer) => chunks.push(chunk))
  request.on('end', () => {
    const received = { app, method, target: url, headers, body: Buffer.concat(chunks).toString('utf8') }
    const isFailing = Number(request.headers['x-envoy-attempt-count'] ?? 1) <= Number(request.headers['x-fails'] ?? 0)
    setTimeout(() => reply(response, isFailing ? undefined : received), Number(request.headers['x-delay'] ?? 0))
  })
}

function reply(response: ServerResponse, received: Received | undefined): void {
  const body = received ? JSON.stringify(received) : 'not now'
  const type = received ? 'application/json' : 'text/plain'
  response.writeHead(received ? 200 : 503, { 'content-type': type, 'content-length': Buffer.byteLength(body) })
  response.end(body)
}

/** Allows what carries `x-ext-authz: allow`, like Istio's sample server, and answers with any status asked for. */
function authorise({ headers, method, url }: IncomingMessage, response: ServerResponse): void {
  const status = Number(headers['x-ext-authz-status'] ?? 0)
  const more = { 'x-ext-authz-received': `${method} ${url}`, 'x-ext-authz-allowed': 'yes' }
  if (status > 0) {
    response.writeHead(status, {
      ...more,
      location: '/oauth2/start?rd=/',
      'set-cookie': ['a=1', 'b=2'],
      'x-secret': 's',
    })
    response.end(status === 204 ? undefined : 'as you wish')
  } else if (headers['x-ext-authz'] === 'allow') {
    response.writeHead(200, { ...more, 'x-ext-authz-check-result': 'allowed' })
    response.end()
  } else {
    response.writeHead(403, { ...more, 'x-ext-authz-check-result': 'denied', 'x-secret': 's' })
    response.end('denied by ext_authz for not found header `x-ext-authz: allow` in the request')
  }
}

export function listen(server: Server | Http2Server): Promise<number> {
  return new Promise((resolve) => {
    server.listen(0, '127.0.0.1', () => resolve((server.address() as AddressInfo).port))
  })
}

export function stop(server: Server | Http2Server): Promise<void> {
  if ('closeAllConnections' in server) server.closeAllConnections()
  return new Promise((resolve) => {
    server.close(() => resolve())
  })
}
