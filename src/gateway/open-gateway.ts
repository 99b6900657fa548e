/**
 * Part `gateway`: the reverse proxy that enforces Istio policy without a mesh. It routes, asks providers, verifies
 * tokens, decides and forwards; it signs nobody in and keeps no user.
 */
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'
import type { Fetch } from '../http/part.ts'
import { announcesBody, isWebSocket, responseOver } from '../http/upgrade.ts'
import type { Clock } from '../kit/clock.ts'
import type { Log } from '../kit/log.ts'
import type { Random } from '../kit/random.ts'
import type { AccountGate } from '../oidc/account-gate.ts'
import type { EndedSessions } from '../oidc/ended-sessions.ts'
import type { Ask } from './ask.ts'
import type { GatewayConfig } from './config.ts'
import type { GatewayContext } from './context.ts'
import { type Arrival, Exchange, parseRequest } from './exchange.ts'
import type { GatewayMode } from './gateway-mode.ts'
import { openGrpcAsk } from './grpc/grpc-ask.ts'
import { openHttpAsk } from './http-ask.ts'
import { type KeyRefresher, openKeyRefresher } from './key-refresher.ts'
import type { KeySource } from './key-sources.ts'
import type { ExtensionProvider } from './mesh-config.ts'
import type { Observer } from './observer.ts'
import { openSockets } from './open-sockets.ts'
import { openOriginPools } from './origin-pools.ts'
import { runPipeline } from './pipeline.ts'
import { crash } from './refusals.ts'
import { refuseMalformed } from './refuse-malformed.ts'
import { openRequestIds } from './request-ids.ts'
import { openPartServer } from './serve-part.ts'
import { compileState } from './state.ts'
import type { ResolveUpstream } from './upstreams.ts'

/** What a gateway is opened with. */
export interface GatewayOptions {
  /** Parsed without errors. */
  readonly config: GatewayConfig
  /** `native` unless told. */
  readonly mode?: GatewayMode
  /** istiod's PILOT_ENABLE_MULTIPLE_CUSTOM_AUTHZ_PROVIDERS, for `istio` mode; natively several are always asked. */
  readonly allowsSeveralProviders?: boolean
  readonly resolveUpstream: ResolveUpstream
  /** Providers in this process, by the name CUSTOM policies use. */
  readonly ask?: Readonly<Record<string, Ask>>
  /** Reaches issuers for their keys. */
  readonly fetch: Fetch
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
  /** The address browsers use, for example `https://platform.example.com`. */
  readonly publicUrl?: string
  /** Header names, beside the built-in ones, that tell an app who the user is; clients may not send them. */
  readonly identityHeaders?: readonly string[]
  /** Cookies that are ours and that no app may see. */
  readonly ownCookies?: (name: string) => boolean
  /** Where the shared files of pages are served without sign-in; without it refusals are plain text. */
  readonly assetsPath?: string
  /** Told of refusals, to explain them later. */
  readonly observer?: Observer
  /** Sessions whose tokens are believed no more and whose open sockets are closed; natively. */
  readonly ended?: EndedSessions
  /** Service accounts of the cluster, whose tokens no RequestAuthentication needs to name; natively. */
  readonly accounts?: AccountGate | undefined
}

/** A running gateway: listeners for a `node:http` server. */
export interface Gateway {
  /** For the server's `request` event. */
  handle(request: IncomingMessage, response: ServerResponse): void
  /** For the server's `upgrade` event. */
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void
  /** Runs on another configuration from the next request on. */
  reload(config: GatewayConfig): void
  /** From now on issuers are asked for their keys in the background, before a token needs them and again as they age. */
  keepKeysFresh(): void
  close(): Promise<void>
}

/** Opens a gateway. It listens nowhere itself. */
export function openGateway(options: GatewayOptions): Gateway {
  const { resolveUpstream, ask = {}, identityHeaders = [], clock, random, log } = options
  const { ended, accounts } = options.mode === 'istio' ? {} : options
  const pools = openOriginPools()
  const context: GatewayContext = {
    resolveUpstream,
    ownCookies: options.ownCookies ?? (() => false),
    publicOrigin: options.publicUrl === undefined ? undefined : new URL(options.publicUrl).origin,
    assetsPath: options.assetsPath,
    requestId: openRequestIds(random),
    pools,
    parts: openPartServer(),
    sockets: openSockets(ended),
    clock,
    random,
    log,
    observer: options.observer,
  }
  const dependencies = {
    mode: options.mode ?? ('native' as const),
    allowsSeveralProviders: options.allowsSeveralProviders ?? false,
    ask,
    identityHeaders,
    keySources: new Map<string, KeySource>(),
    fetch: options.fetch,
    ended,
    accounts,
    clock,
    log,
    openAsk: (provider: ExtensionProvider) => {
      const reach = { pools, resolveUpstream, clock }
      return provider.protocol === 'grpc' ? openGrpcAsk(provider, reach) : openHttpAsk(provider, reach)
    },
  }
  let state = compileState(options.config, dependencies)
  let refresher: KeyRefresher | undefined
  const watchKeys = () => refresher?.watch([...state.authenticator.keySources, ...(accounts ? [accounts] : [])])

  function run(arrival: Arrival): void {
    const parsed = parseRequest(arrival.request, state, context.requestId())
    if (!parsed) {
      refuseMalformed(arrival, state, context)
      return
    }
    const exchange = new Exchange(context, state, arrival, parsed)
    try {
      runPipeline(exchange)
    } catch (error) {
      crash(exchange, error)
    }
  }

  return {
    handle: (request, response) => run({ request, response, upgrade: undefined }),
    upgrade(request, socket, head) {
      socket.on('error', () => socket.destroy())
      const response = responseOver(request, socket)
      if (isWebSocket(request)) run({ request, response, upgrade: { socket, head } })
      else if (head.length === 0 && !announcesBody(request)) run({ request, response, upgrade: undefined })
      // its body would be lost: Node has given up the connection's framing
      else refuseMalformed({ request, response, upgrade: undefined }, state, context)
    },
    reload(config) {
      state = compileState(config, dependencies)
      const { keySources } = state.authenticator
      for (const [name, source] of dependencies.keySources) {
        if (!keySources.includes(source)) dependencies.keySources.delete(name)
      }
      watchKeys()
    },
    keepKeysFresh() {
      refresher ??= openKeyRefresher()
      watchKeys()
    },
    async close() {
      refresher?.close()
      context.sockets.closeAll()
      await pools.close()
    },
  }
}
