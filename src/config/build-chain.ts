import type { GatewayConfig } from '../gateway/config.ts'
import type { Problem } from '../kit/problems.ts'
import type { ProxyConfig } from '../proxy/config.ts'
import type { Adapting } from './adapt.ts'
import type { ChainConfig } from './chain.ts'
import { checkChain } from './checks/chain.ts'
import { checkPublicSecrets } from './checks/public-secrets.ts'
import { completeGateway, type GatewayPlan } from './complete-gateway.ts'
import { importAuthservice } from './dialects/authservice.ts'
import { importDex } from './dialects/dex.ts'
import { importIstio } from './dialects/istio.ts'
import { importRealm } from './dialects/keycloak.ts'
import { importOauth2Proxy } from './dialects/oauth2-proxy.ts'
import { type HostMap, pathOf } from './host-map.ts'
import { objectOf, textValue } from './json-values.ts'
import type { Originals } from './originals.ts'
import { proxyText } from './proxy-settings.ts'
import type { Report } from './report.ts'
import { type AppRoute, ownRoutes } from './stock.ts'
import { withSignOutsTold } from './tell-sign-outs.ts'

/** What came of files: the chain unless a problem is an error, and what was done with every file. */
export interface LoadedChain {
  readonly chain: ChainConfig | undefined
  /** By file and line. */
  readonly problems: readonly Problem[]
  readonly report: Report
}

/** How the files of a chain are put together. */
export interface Building {
  readonly adapting: Adapting
  /** Known public secrets are a warning instead of an error. */
  readonly demo: boolean
  /** Whether the identity provider is new to the policies of the files. */
  readonly isRealmElsewhere: boolean
  /** The files before anything was adapted. */
  readonly written: Originals
  findHosts(gateway: GatewayConfig): HostMap
}

/**
 * Reads the files of every part and checks that they agree. Every file is read, whatever is wrong with the others, so
 * that all problems are told at once.
 */
export function buildChain(originals: Originals, building: Building): ChainConfig {
  const { adapting, demo, isRealmElsewhere, written } = building
  const { publicUrl, problems, report } = adapting
  const realms = originals.realms.flatMap((document) => importRealm(document, adapting) ?? [])
  const broker = originals.dex && importDex(originals.dex, adapting)
  const proxy = originals.proxy
    ? withLastPage(importOauth2Proxy(originals.proxy, adapting), broker !== undefined || realms.length > 0)
    : originals.authservice && importAuthservice(originals.authservice, adapting)
  const gateway = importIstio(completeGateway(gatewayPlan(originals, proxy), { isRealmElsewhere, adapting }), adapting)
  const hosts = building.findHosts(gateway)
  checkPublicSecrets({ broker, proxy, originals }, { problems, demo })
  checkChain({ publicUrl, originals, written, broker, proxy, gateway }, problems)
  const chain = {
    publicUrl,
    ...(realms.length > 0 ? { realm: { publicUrl: `${publicUrl}/auth`, realms } } : {}),
    ...(broker ? { broker } : {}),
    ...(proxy ? { proxy } : {}),
    gateway,
    hosts,
    report,
  }
  return withSignOutsTold(chain, report)
}

/** Where provider and proxy are both here, a sign-out ends on the page made for it: the client is registered so. */
function withLastPage(proxy: ProxyConfig | undefined, isProviderHere: boolean): ProxyConfig | undefined {
  if (!proxy || !isProviderHere || proxy.post_logout_redirect_url !== '') return proxy
  return { ...proxy, post_logout_redirect_url: `${proxy.proxy_prefix}/signed_out` }
}

function gatewayPlan(originals: Originals, proxyConfig: ProxyConfig | undefined): GatewayPlan {
  const { proxy, authservice, istio, meshConfigs } = originals
  const { USERID_HEADER: userId, GROUPS_HEADER: groups } = authservice?.values ?? {}
  return {
    resources: istio,
    meshConfigs,
    partRoutes: partRoutes(originals),
    issuer: proxyText(proxy, 'oidc_issuer_url'),
    audiences: proxyConfig ? audiencesOf(proxyConfig) : [],
    identityHeaders: [userId || 'kubeflow-userid', groups || 'kubeflow-groups'],
  }
}

/** Whom the tokens the proxy takes are for; nobody in particular where it goes by another claim than `aud`. */
function audiencesOf({ client_id: clientId, oidc_extra_audiences: more, oidc_audience_claims: claims }: ProxyConfig) {
  return clientId !== '' && claims.every((claim) => claim === 'aud') ? [clientId, ...more] : []
}

/** The routes of the parts that run, at the paths their files give them. */
function partRoutes({ dex, proxy, authservice, realms }: Originals): AppRoute[] {
  const issuer = textValue(objectOf(dex?.document.value), 'issuer') ?? '/dex'
  const prefixes: Readonly<Record<string, string | undefined>> = {
    realm: realms.length > 0 ? '/auth' : undefined,
    broker: dex && pathOf(issuer),
    proxy: proxy && (proxyText(proxy, 'proxy_prefix') ?? '/oauth2'),
    authservice: proxy
      ? undefined
      : authservice && pathOf(authservice.values['AUTHSERVICE_URL_PREFIX'] || '/authservice'),
    console: '/gatehouse',
  }
  return ownRoutes.flatMap((route) => {
    const prefix = prefixes[route.name]
    return prefix === undefined ? [] : { ...route, prefix: `${prefix}/` }
  })
}

/** Problems by file and line; those of one line as they were found. */
export function inOrder(problems: readonly Problem[]): Problem[] {
  return problems.toSorted((a, b) => (a.file === b.file ? (a.line ?? 0) - (b.line ?? 0) : a.file < b.file ? -1 : 1))
}
