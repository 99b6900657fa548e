import type { SourceDocument } from '../kit/problems.ts'
import type { Adapting } from './adapt.ts'
import { withValueAt } from './adapt.ts'
import { exemptionsOf } from './exemptions.ts'
import { objectOf, objectsOf, textsOf } from './json-values.ts'
import type { Replacements } from './replacements.ts'
import type { ReportBook } from './report.ts'
import {
  type AppRoute,
  exemptPathsOf,
  portalRoute,
  stockAuthservice,
  stockMeshConfig,
  stockPolicies,
  stockRequestAuthentication,
  stockVirtualServices,
} from './stock.ts'

/** What the gateway is to enforce and route, and what it must fit. */
export interface GatewayPlan {
  readonly resources: readonly SourceDocument[]
  readonly meshConfigs: readonly SourceDocument[]
  /** Routes of the parts that run. */
  readonly partRoutes: readonly AppRoute[]
  /** Issuer of the tokens the proxy adds; `undefined` where oidc-authservice answers with headers instead. */
  readonly issuer: string | undefined
  /** Whom those tokens are for: the proxy. */
  readonly audiences: readonly string[]
  /** Headers oidc-authservice answers with. */
  readonly identityHeaders: readonly string[]
}

/** One harmless policy must not be the reason why nobody is asked to sign in. */
const unasked = 'no policy of the directory asks for a sign-in'

/**
 * Completes Istio's side: policies, token verification, provider and routes that the directory has no file for are the
 * stock ones; policies that are there also exempt the parts which did not stand behind this gateway before (an
 * identity provider with an origin of its own, the console).
 */
export function completeGateway(
  { resources, meshConfigs, partRoutes, issuer, audiences, identityHeaders }: GatewayPlan,
  { isRealmElsewhere, adapting }: Pick<Replacements, 'isRealmElsewhere'> & { adapting: Adapting },
): SourceDocument[] {
  const { report, apps } = adapting
  const ofKind = (kind: string) => resources.filter(({ value }) => objectOf(value)['kind'] === kind)
  const added: SourceDocument[] = []
  const fill = (what: string, documents: readonly SourceDocument[], why = 'the directory has none') => {
    added.push(...documents)
    report.filled(what, { why })
  }
  const policies = ofKind('AuthorizationPolicy')
  const ownExemptions = policies.flatMap(exemptionsOf).flatMap(({ paths }) => paths)
  const exempt = [...new Set([...exemptPathsOf([...partRoutes, ...apps]), ...ownExemptions])]
  const provider = policies.map(providerOf).find((name) => name !== undefined)
  if (issuer === undefined) {
    const stock = stockAuthservice(exempt, { identityHeaders, provider })
    if (provider === undefined) fill('the policy that asks oidc-authservice for every request', stock.policies, unasked)
    if (!hasProviders(meshConfigs)) fill('the MeshConfig provider for oidc-authservice', stock.meshConfig)
  } else {
    if (provider === undefined) fill('the two stock policies', stockPolicies(exempt), unasked)
    if (!hasProviders(meshConfigs)) fill('the MeshConfig provider for oauth2-proxy', stockMeshConfig(provider))
    if (ofKind('RequestAuthentication').length === 0) {
      fill('the RequestAuthentication of the stock', stockRequestAuthentication(issuer, audiences))
    }
  }
  const newPaths = ['/gatehouse/*', ...(isRealmElsewhere ? ['/auth/*'] : []), ...exemptPathsOf(apps)]
  const exempted = resources.map((document) => exemptPaths(document, newPaths, adapting))
  return [
    ...exempted,
    ...meshConfigs,
    ...added,
    ...missingRoutes(ofKind('VirtualService'), [...partRoutes, ...apps, portalRoute], report),
  ]
}

function providerOf({ value }: SourceDocument): string | undefined {
  const { action, provider } = objectOf(objectOf(value)['spec'])
  const { name } = objectOf(provider)
  return action === 'CUSTOM' && typeof name === 'string' ? name : undefined
}

const hasProviders = (meshConfigs: readonly SourceDocument[]): boolean =>
  meshConfigs.some(({ value }) => objectsOf(objectOf(value)['extensionProviders']).length > 0)

function exemptPaths(document: SourceDocument, wanted: readonly string[], { report }: Adapting): SourceDocument {
  let changed = document
  for (const { path, paths } of exemptionsOf(document)) {
    const missing = wanted.filter((each) => !paths.includes(each))
    if (missing.length === 0) continue
    report.at('changed', document.source, path, 'notPaths', {
      to: `also ${missing.join(', ')}`,
      why: 'served here too',
    })
    changed = withValueAt(changed, path, [...paths, ...missing])
  }
  return changed
}

/** Routes for the parts and apps that no VirtualService of the directory leads to. */
function missingRoutes(
  services: readonly SourceDocument[],
  wanted: readonly AppRoute[],
  report: ReportBook,
): SourceDocument[] {
  const prefixes = services.flatMap(prefixesOf)
  const isRouted = (prefix: string) =>
    prefixes.some((known) => (prefix === '/' ? known === '/' : known !== '/' && prefix.startsWith(known)))
  const routes = wanted.filter(({ prefix }) => !isRouted(prefix))
  if (routes.length === 0) return []
  report.filled('routes', { to: routes.map(({ prefix }) => prefix).join(' '), why: 'no VirtualService leads there' })
  return stockVirtualServices(routes)
}

function prefixesOf({ value }: SourceDocument): string[] {
  return objectsOf(objectOf(objectOf(value)['spec'])['http']).flatMap((route) => {
    if (!Array.isArray(route['match'])) return ['/'] // a route without conditions takes everything
    return objectsOf(route['match']).flatMap((match) => textsOf([objectOf(match['uri'])['prefix']]))
  })
}
