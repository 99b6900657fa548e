import type { Fetch } from '../http/part.ts'
import type { Clock } from '../kit/clock.ts'
import type { Log } from '../kit/log.ts'
import type { AccountGate } from '../oidc/account-gate.ts'
import type { EndedSessions } from '../oidc/ended-sessions.ts'
import { type PolicySet, selectPolicies } from '../policy/policy-set.ts'
import { mergeJwtRules } from '../policy/request-authentication.ts'
import type { Ask } from './ask.ts'
import { type Authenticator, openAuthenticator } from './authenticate.ts'
import type { GatewayConfig } from './config.ts'
import type { GatewayMode } from './gateway-mode.ts'
import {
  compileHeaderReader,
  edgeNames,
  edgePrefixes,
  exactNames,
  forwardingNames,
  type HeaderReader,
  identityNames,
  identityPrefixes,
  joinedNames,
} from './incoming.ts'
import type { KeySource } from './key-sources.ts'
import type { MeshConfig } from './mesh-config.ts'
import { compileProviders, type Provider } from './providers.ts'
import { compileRoutes, type RouteTable } from './routes.ts'
import type { Services } from './services.ts'

/** Everything compiled from one configuration. Immutable, so that a reload swaps one reference. */
export interface GatewayState {
  readonly config: GatewayConfig
  readonly mode: GatewayMode
  readonly isNative: boolean
  readonly policies: PolicySet
  readonly providers: ReadonlyMap<string, Provider>
  readonly authenticator: Authenticator
  readonly routes: RouteTable
  readonly services: Services
  readonly headerReader: HeaderReader
}

/** What compiling needs beside the configuration. */
export interface StateDependencies {
  readonly mode: GatewayMode
  readonly allowsSeveralProviders: boolean
  readonly ask: Readonly<Record<string, Ask>>
  readonly openAsk: (provider: MeshConfig['extensionProviders'][number]) => Ask
  readonly fetch: Fetch
  readonly clock: Clock
  readonly log: Log
  /** Sessions whose tokens are believed no more. */
  readonly ended?: EndedSessions | undefined
  /** Service accounts of the cluster; natively. */
  readonly accounts?: AccountGate | undefined
  /** Keys fetched before a reload, by where they come from. */
  readonly keySources?: Map<string, KeySource>
  /** Further header names a client may not set (native mode). */
  readonly identityHeaders: readonly string[]
}

/** Compiles a configuration that was parsed without errors. */
export function compileState(config: GatewayConfig, dependencies: StateDependencies): GatewayState {
  const { workload, meshConfig } = config
  const { mode } = dependencies
  const isNative = mode === 'native'
  const providers = compileProviders(meshConfig, dependencies.ask, dependencies.openAsk)
  const jwtRules = mergeJwtRules(config.requestAuthentications, workload, meshConfig.rootNamespace)
  const authenticator = openAuthenticator(jwtRules, dependencies)
  return {
    config,
    mode,
    isNative,
    providers,
    authenticator,
    policies: selectPolicies(config.authorizationPolicies, {
      workload,
      rootNamespace: meshConfig.rootNamespace,
      providers: new Set(providers.keys()),
      allowsSeveralProviders: isNative || dependencies.allowsSeveralProviders,
    }),
    routes: compileRoutes(config, mode),
    services: new Map(config.services.map((service) => [service.key, service])),
    headerReader: isNative
      ? compileHeaderReader(refusedNames(config, authenticator, dependencies.identityHeaders), identityPrefixes, {
          exact: exactNames,
        })
      : compileHeaderReader(edgeNames, edgePrefixes, { joined: joinedNames }),
  }
}

/** What only the gateway may say of a request: identity, whatever tokens and providers tell, and its way here. */
function refusedNames(config: GatewayConfig, { outputs }: Authenticator, more: readonly string[]): string[] {
  const told = config.meshConfig.extensionProviders
    .flatMap(({ headersToUpstreamOnAllow }) => headersToUpstreamOnAllow)
    .map((name) => name.toLowerCase())
    .filter((name) => !name.includes('*') && !sharedWithClients.has(name))
  const forwarding = config.meshConfig.numTrustedProxies === 0 ? forwardingNames : []
  return [...identityNames, ...forwarding, ...outputs.flat(), ...told, ...more]
}

/** Headers a provider may replace but a client needs to send. */
const sharedWithClients = new Set(['authorization', 'cookie', 'host', 'path', 'content-type', 'accept'])
