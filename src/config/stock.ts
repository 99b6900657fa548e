import { readFileSync } from 'node:fs'
import { Problems, type SourceDocument } from '../kit/problems.ts'
import { fileText } from './source-text.ts'
import { parseYaml, splitYaml } from './yaml-source.ts'

/** In-cluster names of the running parts, as destinations (port 80) and provider services. */
export const partHosts = {
  realm: 'realm.gatehouse',
  broker: 'broker.gatehouse',
  proxy: 'proxy.gatehouse',
  console: 'console.gatehouse',
  echo: 'echo.gatehouse',
  notes: 'notes.gatehouse',
} as const

/** A part of the chain, or one of the demo apps. */
export type ChainPart = keyof typeof partHosts

/** An app behind the gateway: `prefix` (`/notes/`) goes to `host`; an exempt one guards itself. */
export interface AppRoute {
  readonly name: string
  readonly prefix: string
  readonly host: string
  readonly port?: number
  readonly isExempt?: boolean
  /** Its prefix without the slash at the end is its own, too. */
  readonly isWhole?: boolean
  /** Its client in the realm, when it signs users in itself; its callback is `<prefix>callback`. */
  readonly clientId?: string
  /** Told of sign-outs at `<prefix>backchannel-logout` (OpenID Connect Back-Channel Logout). */
  readonly isToldSignOuts?: boolean
}

/** The policy pair. `exemptPaths` stand in both. */
export function stockPolicies(exemptPaths: readonly string[]): SourceDocument[] {
  return stockDocuments('authorization-policies.yaml', { exemptPaths })
}

/** The RequestAuthentication for tokens that `issuer` made for one of `audiences`; for anyone where there are none. */
export function stockRequestAuthentication(issuer: string, audiences: readonly string[]): SourceDocument[] {
  return stockDocuments('request-authentication.yaml', { issuer, audiences })
}

/** The MeshConfig with the proxy as its one provider. */
export function stockMeshConfig(provider = 'oauth2-proxy'): SourceDocument[] {
  return stockDocuments('mesh-config.yaml', { provider })
}

/** Policy and MeshConfig for oidc-authservice in oauth2-proxy's place; it answers with `identityHeaders`. */
export function stockAuthservice(
  exemptPaths: readonly string[],
  { identityHeaders, provider = 'authservice' }: { identityHeaders: readonly string[]; provider?: string | undefined },
): { readonly policies: SourceDocument[]; readonly meshConfig: SourceDocument[] } {
  return {
    policies: stockDocuments('authservice.yaml', { exemptPaths, provider }),
    meshConfig: stockDocuments('authservice-mesh-config.yaml', { identityHeaders, provider }),
  }
}

/** The parts' own paths, and who answers there; they guard themselves. */
export const ownRoutes: readonly AppRoute[] = [
  { name: 'realm', prefix: '/auth/', host: partHosts.realm, isExempt: true, isWhole: true },
  { name: 'broker', prefix: '/dex/', host: partHosts.broker, isExempt: true, isWhole: true },
  { name: 'proxy', prefix: '/oauth2/', host: partHosts.proxy, isExempt: true },
  { name: 'authservice', prefix: '/authservice/', host: partHosts.proxy, isExempt: true },
  { name: 'console', prefix: '/gatehouse/', host: partHosts.console, isExempt: true },
]

/** Every other path is the console's: the portal. */
export const portalRoute: AppRoute = { name: 'portal', prefix: '/', host: partHosts.console }

/** A VirtualService for every host with these routes. */
export function stockVirtualServices(routes: readonly AppRoute[]): SourceDocument[] {
  return stockDocuments('virtual-services.yaml', {
    routes: routes.map(({ name, prefix, host, port = 80, isWhole = false }) => ({
      name,
      match: [{ uri: { prefix } }, ...(isWhole ? [{ uri: { exact: prefix.slice(0, -1) } }] : [])],
      route: [{ destination: { host, port: { number: port } } }],
    })),
  })
}

/** The paths of those that guard themselves, as both policies exempt them. */
export function exemptPathsOf(routes: readonly AppRoute[]): string[] {
  return routes
    .filter(({ isExempt }) => isExempt)
    .map(({ prefix, isWhole = false }) => ({ bare: prefix.replace(/\/$/, ''), isWhole }))
    .flatMap(({ bare, isWhole }) => [`${bare}/*`, ...(isWhole ? [bare] : [])])
}

/** JSON is YAML, so a value of any kind can stand where `${name}` does. */
function stockDocuments(name: string, values: Readonly<Record<string, unknown>>): SourceDocument[] {
  const text = readFileSync(new URL(`stock/${name}`, import.meta.url), 'utf8')
  const filled = text.replace(/\$\{(\w+)\}/g, (_, key: string) => JSON.stringify(values[key]))
  const problems = new Problems()
  const documents = splitYaml(fileText(`gatehouse:stock/${name}`, filled)).flatMap(
    (chunk) => parseYaml(chunk, problems) ?? [],
  )
  problems.throwIfAny()
  return documents
}
