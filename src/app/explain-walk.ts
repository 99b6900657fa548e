import { createServer, request as httpRequest, type IncomingMessage, type Server } from 'node:http'
import { devNull } from 'node:os'
import { type Duplex, duplexPair } from 'node:stream'
import type { ChainConfig } from '../config/chain.ts'
import { partAt } from '../config/host-map.ts'
import type { Ask } from '../gateway/ask.ts'
import type { GatewayMode } from '../gateway/gateway-mode.ts'
import type { ObservedRequest, PipelineTrace } from '../gateway/observer.ts'
import { type GatewayOptions, openGateway } from '../gateway/open-gateway.ts'
import type { Part } from '../http/part.ts'
import type { Reached, Situation, Walk, WalkThrough } from '../insight/explain/situation.ts'
import { silentLog } from '../kit/log.ts'
import type { ProxyConfig } from '../proxy/config.ts'
import { openProxy } from '../proxy/open-proxy.ts'
import { withCookieSessions } from '../proxy/sessions/redis-settings.ts'
import { migrate } from '../store/migrate.ts'
import { storeMigrations } from '../store/migrations.ts'
import { openSqlRecords, type RecordTables } from '../store/records.ts'
import { openSqlite } from '../store/sqlite.ts'
import { type Credentials, openCredentials } from './explain-credentials.ts'
import { type ExplainIssuer, openExplainIssuer } from './explain-issuer.ts'
import { chainGatewayOptions, type GatewayDependencies, verifiesTokens } from './open-chain-gateway.ts'

/** Requests are walked through a gateway and a proxy of their own, in memory: no port, no file, no network. */
export interface Walker {
  readonly walk: WalkThrough
  close(): Promise<void>
}

/** What walks depend on beside the situation. */
export type WalkerOptions = Pick<GatewayDependencies, 'clock' | 'random'> & {
  readonly chain: ChainConfig
  /** As Istio decides to the letter, or natively. */
  readonly mode: GatewayMode
  /** Reaches the issuers themselves, so that signatures of real tokens can be checked; else ours vouches for them. */
  readonly fetch?: GatewayDependencies['fetch']
}

/** Opens a walker over a chain. */
export async function openWalker(options: WalkerOptions): Promise<Walker> {
  const { clock, random } = options
  const issuer = openExplainIssuer(clock)
  const database = openSqlite<RecordTables>(':memory:')
  await migrate(database, storeMigrations)
  const dependencies = {
    ...options,
    fetch: options.fetch ?? issuer.fetch,
    records: openSqlRecords(database, clock),
    log: silentLog,
    issuer,
    isLive: options.fetch !== undefined,
    random,
  }
  return { walk: (situation) => walk(situation, dependencies), close: () => database.destroy() }
}

type Dependencies = Omit<WalkerOptions, 'fetch'> &
  GatewayDependencies & {
    readonly records: ReturnType<typeof openSqlRecords>
    readonly issuer: ExplainIssuer
    readonly isLive: boolean
  }

/** What is noted while one request is on its way. */
interface Notes {
  facts?: ObservedRequest
  arrived: readonly string[]
  cause?: NonNullable<Walk['cause']>
  ownReason?: string
  destination: string
  reached?: Reached
  readonly trace: PipelineTrace
  closeProxy?: (() => Promise<void>) | undefined
}

async function walk(situation: Situation, dependencies: Dependencies): Promise<Walk> {
  const credentials = await openCredentials(situation, dependencies)
  const notes: Notes = { arrived: [], destination: '', trace: { rules: [], asked: [], authentication: undefined } }
  const gateway = openGateway(gatewayOptions({ situation, notes, credentials }, dependencies))
  const server = createServer({ maxHeaderSize: 60 * 1024 }, (request, response) => gateway.handle(request, response))
  server.on('upgrade', (request, socket, head) => gateway.upgrade(request, socket, head))
  try {
    const answer = await send(server, situation, credentials.headers)
    const kept = new Set(notes.arrived)
    const sent = situation.request.headers.map(([name]) => name)
    return {
      facts: notes.facts,
      stripped: notes.facts
        ? [...new Set(sent.filter((name) => !kept.has(name.toLowerCase()) && !isOfHandshake(name)))]
        : [],
      route: notes.facts?.route,
      trace: notes.trace,
      cause: notes.cause,
      ownReason: notes.ownReason,
      reached: notes.reached,
      answer,
    }
  } finally {
    await gateway.close()
    await notes.closeProxy?.()
  }
}

/** The gateway of the chain as it runs, but its apps only note what reaches them. */
function gatewayOptions(
  { situation, notes, credentials }: { situation: Situation; notes: Notes; credentials: Credentials },
  dependencies: Dependencies,
): GatewayOptions {
  const { records, clock, random, log, fetch, chain, mode, issuer } = dependencies
  const { proxy: config } = situation
  const proxy =
    config && openProxy({ config: alone(config), records, clock, random, log, fetch, clusterFetch: issuer.fetch })
  notes.closeProxy = proxy?.close
  const app = notingPart(notes)
  const options = chainGatewayOptions(proxy ? { proxy } : {}, {
    ...dependencies,
    chain: { ...chain, gateway: credentials.gateway },
  })
  return {
    ...options,
    mode,
    resolveUpstream(host, port, namespace) {
      notes.destination = port === undefined ? host : `${host}:${port}`
      const name = partAt(chain.hosts, host, namespace)
      const isOurs = name !== undefined && name !== 'echo' && name !== 'notes'
      const takesHandshakes = name === undefined
      return {
        kind: 'part',
        part: app,
        hidesOwnCookies: !isOurs,
        verifiesTokens: verifiesTokens(name),
        takesHandshakes,
      }
    },
    ask: { ...otherProviders(situation, credentials), ...options.ask },
    observer: {
      begin(request) {
        notes.facts = request
        notes.arrived = request.headers.flat.filter((_, at) => at % 2 === 0)
        return notes.trace
      },
      refused(_, cause) {
        if (cause.kind === 'gateway') notes.ownReason = cause.reason
        else if (cause.kind !== 'part') notes.cause = cause
      },
    },
  }
}

/**
 * The sessions of an explanation are in cookies, whatever the configuration says: it meets nobody's Redis. Nor a cluster:
 * its stand-in has no issuer of its own, so that it is asked for a review.
 */
function alone(config: ProxyConfig): ProxyConfig {
  return { ...withCookieSessions(config), kubernetes_token_file: devNull, kubernetes_token_review: true }
}

function notingPart(notes: Notes): Part {
  return {
    fetch(request) {
      const { url } = request
      const start = url.indexOf('/', url.indexOf('//') + 2)
      const target = start < 0 ? '/' : url.slice(start)
      notes.reached = { destination: notes.destination, target, headers: Object.fromEntries(request.headers) }
      return new Response('')
    },
  }
}

/** A provider that is not ours cannot be known: with a session it allows as oauth2-proxy does, else it refuses. */
function otherProviders({ gateway }: Situation, { session }: Credentials): Readonly<Record<string, Ask>> {
  const answer = session
    ? {
        status: 200,
        headers: ['authorization', `Bearer ${session.idToken}`, 'x-auth-request-email', session.email],
        body: '',
      }
    : { status: 403, headers: [], body: '' }
  return Object.fromEntries(gateway.meshConfig.extensionProviders.map(({ name }) => [name, () => answer]))
}

const localPort = 8080

/** One request over a connection that is no socket; the HTTP parser on its way is the one every request meets. */
async function send(
  server: Server,
  { request: { method, target, host, headers, peerAddress } }: Situation,
  more: readonly (readonly [string, string])[],
): Promise<Walk['answer']> {
  const [client, inner] = duplexPair()
  Object.assign(inner, {
    remoteAddress: peerAddress,
    localAddress: '127.0.0.1',
    localPort,
    setTimeout() {},
    setKeepAlive() {},
  })
  server.emit('connection', inner)
  const all = [...(has(headers, 'host') ? [] : [['Host', host] as const]), ...headers, ...handshake(headers), ...more]
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    const request = httpRequest({
      method,
      path: target,
      headers: all.flat(),
      setHost: false,
      createConnection: () => client as Duplex,
    })
    request.on('response', resolve)
    request.on('error', reject)
    request.end()
  })
  const chunks: Buffer[] = []
  for await (const chunk of response) chunks.push(chunk as Buffer)
  client.destroy()
  const flat = Object.entries(response.headers).map(([name, value]) => [name, [value ?? ''].flat().join(', ')])
  return {
    status: response.statusCode ?? 0,
    headers: Object.fromEntries(flat),
    body: Buffer.concat(chunks).toString('utf8'),
  }
}

type Headers = readonly (readonly [name: string, value: string])[]

function has(headers: Headers, wanted: string): boolean {
  return headers.some(([name]) => name.toLowerCase() === wanted)
}

/** What `Upgrade` goes with (RFC 9110 §7.8). */
function handshake(headers: Headers): Headers {
  return has(headers, 'upgrade') && !has(headers, 'connection') ? [['Connection', 'Upgrade']] : []
}

function isOfHandshake(name: string): boolean {
  return /^(?:connection|upgrade)$/i.test(name)
}
