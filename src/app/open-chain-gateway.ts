import type { ChainConfig } from '../config/chain.ts'
import { partAt } from '../config/host-map.ts'
import type { ChainPart } from '../config/stock.ts'
import type { Ask } from '../gateway/ask.ts'
import { type Gateway, type GatewayOptions, openGateway } from '../gateway/open-gateway.ts'
import type { PartDependencies, RunningParts } from './parts.ts'

/** What the gateway needs of what every part is opened with. */
export type GatewayDependencies = Pick<PartDependencies, 'chain' | 'fetch' | 'clock' | 'random' | 'log' | 'observer'>

/**
 * Opens the gateway over the running parts: a destination whose host is one of ours is served in this process, and an
 * extension provider whose service is our proxy is asked without a network in between.
 */
export function openChainGateway(parts: RunningParts, dependencies: GatewayDependencies): Gateway {
  return openGateway(chainGatewayOptions(parts, dependencies))
}

/** What a gateway over these parts is opened with. */
export function chainGatewayOptions(parts: RunningParts, dependencies: GatewayDependencies): GatewayOptions {
  const { chain, fetch, clock, random, log, observer } = dependencies
  const { proxy } = parts
  return {
    config: chain.gateway,
    publicUrl: chain.publicUrl,
    assetsPath: '/gatehouse/static',
    mode: chain.gatewayMode ?? 'native',
    resolveUpstream(host, port, namespace) {
      const name = partAt(chain.hosts, host, namespace)
      const part = name && parts[name]
      if (!part) return { kind: 'origin', origin: `http://${host}:${port}` }
      // The demo apps are apps like any other: what is ours stays ours.
      const isApp = name === 'echo' || name === 'notes'
      return { kind: 'part', part, name, hidesOwnCookies: isApp, verifiesTokens: verifiesTokens(name) }
    },
    ask: proxy ? inProcessProviders(chain, (request) => proxy.check(request)) : {},
    ownCookies: (name) => proxy?.isOwnCookie(name) ?? false,
    fetch,
    clock,
    random,
    log: log.with({ part: 'gateway' }),
    ...(proxy ? { ended: proxy.ended, accounts: proxy.accounts } : {}),
    ...(observer ? { observer } : {}),
  }
}

/** Whether a part knows the tokens meant for it, also those no RequestAuthentication does. */
export function verifiesTokens(part: ChainPart | undefined): boolean {
  return part === 'realm' || part === 'broker' || part === 'proxy'
}

/** Every extension provider that names a host of our proxy. */
function inProcessProviders(chain: ChainConfig, ask: Ask): Readonly<Record<string, Ask>> {
  const ours = chain.gateway.meshConfig.extensionProviders.filter(
    ({ service }) => partAt(chain.hosts, service) === 'proxy',
  )
  return Object.fromEntries(ours.map(({ name }) => [name, ask]))
}
