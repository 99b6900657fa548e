import { createServer } from 'node:http'
import { type GatewayConfig, parseGatewayConfig } from '../../src/gateway/config.ts'
import { type Gateway, openGateway } from '../../src/gateway/open-gateway.ts'
import { systemClock } from '../../src/kit/clock.ts'
import { silentLog } from '../../src/kit/log.ts'
import { namedSource, Problems } from '../../src/kit/problems.ts'
import { seededRandom } from '../world/random.ts'
import { type Apps, listen, type Received, stop } from './apps.ts'
import { exchangeRaw, type RawReply, requestBytes } from './raw-exchange.ts'
import { type CorpusRow, type Enforced, resourcesOf, withTokens } from './read-corpus.ts'

/** The configuration a group describes; throws with every error in it. */
export function configOf(group: Enforced, listenerPort = 8080): GatewayConfig {
  const problems = new Problems()
  const documents = resourcesOf(group, listenerPort).map((value) => ({ value, source: namedSource('corpus.yaml') }))
  const config = parseGatewayConfig(documents, problems, { mode: 'istio' })
  problems.throwIfAny()
  return config
}

/** A gateway in `istio` mode that enforces one group. */
export interface LiveGateway {
  readonly port: number
  close(): Promise<void>
}

export async function openLiveGateway(group: Enforced, apps: Apps): Promise<LiveGateway> {
  let gateway: Gateway | undefined
  const front = createServer((request, response) => gateway?.handle(request, response))
  front.on('upgrade', (request, socket, head) => gateway?.upgrade(request, socket, head))
  const port = await listen(front)
  const opened = openGateway({
    config: configOf(group, port),
    mode: 'istio',
    allowsSeveralProviders: group.severalProviders ?? false,
    resolveUpstream: (host) => ({ kind: 'origin', origin: `http://127.0.0.1:${apps.portOf(host)}` }),
    fetch: async () => Response.error(),
    clock: systemClock,
    random: seededRandom(),
    log: silentLog,
  })
  gateway = opened
  return {
    port,
    async close() {
      await opened.close()
      await stop(front)
    },
  }
}

/** What became of a request: the answer, and what the app received where it reached it. */
export interface Outcome {
  readonly status: number
  readonly body: string
  readonly challenge: string | undefined
  readonly received: Received | undefined
  readonly reply: RawReply
}

/** Sends a row to a gateway (ours or another). */
export async function sendRow(
  row: Pick<CorpusRow, 'method' | 'path' | 'host' | 'headers' | 'token' | 'from'> & {
    readonly sends?: string | undefined
  },
  { port, tokens }: { port: number; tokens: ReadonlyMap<string, string> },
): Promise<Outcome> {
  const bearer = row.token === undefined ? {} : { authorization: `Bearer {token:${row.token}}` }
  const bytes = withTokens(requestBytes({ ...row, headers: { ...bearer, ...row.headers } }), tokens)
  return outcomeOf(await exchangeRaw(bytes, { port, from: row.from }))
}

export function outcomeOf(reply: RawReply): Outcome {
  const header = (name: string) => reply.headers.find(([one]) => one === name)?.[1]
  const isFromApp = reply.status === 200 && header('content-type') === 'application/json'
  return {
    status: reply.status,
    body: isFromApp ? '' : reply.body,
    challenge: header('www-authenticate'),
    received: isFromApp && reply.body !== '' ? (JSON.parse(reply.body) as Received) : undefined,
    reply,
  }
}
