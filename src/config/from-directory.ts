import { namedSource, type Problem, Problems } from '../kit/problems.ts'
import type { Adapting } from './adapt.ts'
import { agreeOnProxyClient } from './agree-on-proxy-client.ts'
import { agreeOnRealmClients } from './agree-on-realm-clients.ts'
import type { ChainConfig } from './chain.ts'
import type { ChainSecrets } from './chain-secrets.ts'
import { checkChain } from './checks/chain.ts'
import { checkPublicSecrets } from './checks/public-secrets.ts'
import { completeGateway, type GatewayPlan } from './complete-gateway.ts'
import { demoApps } from './default-chain.ts'
import { importAuthservice } from './dialects/authservice.ts'
import { importDex } from './dialects/dex.ts'
import { importIstio } from './dialects/istio.ts'
import { importRealm } from './dialects/keycloak.ts'
import { importOauth2Proxy } from './dialects/oauth2-proxy.ts'
import { findHosts } from './find-hosts.ts'
import { findOriginals } from './find-originals.ts'
import { fitProxy } from './fit-proxy.ts'
import { pathOf } from './host-map.ts'
import { objectOf, textValue } from './json-values.ts'
import { readManifests } from './manifests.ts'
import { withMissingParts } from './missing-parts.ts'
import type { Originals } from './originals.ts'
import { proxyText } from './proxy-settings.ts'
import { readTree } from './read-tree.ts'
import { findReplacements, type Replacements, replaceAddresses } from './replacements.ts'
import { type Report, ReportBook } from './report.ts'
import { type AppRoute, ownRoutes } from './stock.ts'

/** How a directory is run. */
export interface DirectoryOptions {
  /** Origin browsers use; takes the place of the platform's own. No trailing slash. */
  readonly publicUrl: string
  readonly secrets: ChainSecrets
  /** Variables the files may refer to and do not bring. */
  readonly env: Readonly<Record<string, string | undefined>>
  /** Known public secrets are a warning instead of an error. */
  readonly demo?: boolean
  /** Apps that run beside the platform's; the echo app unless given. */
  readonly apps?: readonly AppRoute[]
}

/** What came of a directory: the chain unless a problem is an error, and what was done with every file. */
export interface LoadedChain {
  readonly chain: ChainConfig | undefined
  readonly problems: readonly Problem[]
  readonly report: Report
}

/**
 * Reads a directory of a platform's own files, unchanged, as a chain that runs here: addresses of the platform become
 * `publicUrl`, services inside the cluster are the running parts, and what the directory lacks is filled in. Every
 * change is in the report, every mistake in the problems, with file and line.
 */
export function loadChainFromDirectory(directory: string, options: DirectoryOptions): LoadedChain {
  const problems = new Problems()
  const report = new ReportBook()
  const { publicUrl, secrets, env, apps = demoApps.filter(({ name }) => name === 'echo') } = options
  const adapting: Adapting = { publicUrl, secrets, apps, problems, report }
  const manifests = readManifests(readTree(directory, problems), { problems, report })
  const found = findOriginals(manifests, { env, problems, report })
  if (isEmpty(found) && !problems.hasErrors) {
    problems.error(
      namedSource(directory),
      [],
      'no configuration of Dex, oauth2-proxy, Istio, Keycloak or oidc-authservice',
      'name a directory that has one',
    )
  }
  const replacements = findReplacements(found, publicUrl)
  const originals = adaptOriginals(replaceAddresses(found, replacements, report), adapting)
  const chain = buildChain(originals, { replacements, adapting, demo: options.demo ?? false })
  return { chain: problems.hasErrors ? undefined : chain, problems: sorted(problems.list), report }
}

/** By file and line, errors of one line as they were found. */
function sorted(problems: readonly Problem[]): Problem[] {
  return problems.toSorted((a, b) => (a.file === b.file ? (a.line ?? 0) - (b.line ?? 0) : a.file < b.file ? -1 : 1))
}

function isEmpty({ dex, proxy, authservice, realms, istio, meshConfigs }: Originals): boolean {
  return !dex && !proxy && !authservice && realms.length + istio.length + meshConfigs.length === 0
}

function adaptOriginals(originals: Originals, adapting: Adapting): Originals {
  const whole = withMissingParts(originals, adapting)
  return agreeOnRealmClients(fitProxy(agreeOnProxyClient(whole, adapting), adapting), adapting)
}

interface Building {
  readonly replacements: Replacements
  readonly adapting: Adapting
  readonly demo: boolean
}

/** Every file is read, whatever is wrong with the others, so that all problems are told at once. */
function buildChain(originals: Originals, { replacements, adapting, demo }: Building): ChainConfig | undefined {
  const { publicUrl, problems, report } = adapting
  const realms = originals.realms.flatMap((document) => importRealm(document, adapting) ?? [])
  const broker = originals.dex && importDex(originals.dex, adapting)
  const proxy = originals.proxy
    ? importOauth2Proxy(originals.proxy, adapting)
    : originals.authservice && importAuthservice(originals.authservice, adapting)
  const { isRealmElsewhere } = replacements
  const gateway = importIstio(completeGateway(gatewayPlan(originals), { isRealmElsewhere, adapting }), adapting)
  const hosts = findHosts(originals, gateway, adapting)
  checkPublicSecrets({ broker, proxy, originals }, { problems, demo })
  checkChain({ publicUrl, originals, broker, proxy, gateway }, problems)
  return {
    publicUrl,
    ...(realms.length > 0 ? { realm: { publicUrl: `${publicUrl}/auth`, realms } } : {}),
    ...(broker ? { broker } : {}),
    ...(proxy ? { proxy } : {}),
    gateway,
    hosts,
    report,
  }
}

function gatewayPlan({ dex, proxy, authservice, realms, istio, meshConfigs }: Originals): GatewayPlan {
  const runs: Readonly<Record<string, boolean>> = {
    realm: realms.length > 0,
    broker: dex !== undefined,
    proxy: proxy !== undefined,
    authservice: proxy === undefined,
    console: true,
  }
  const issuerPath = pathOf(textValue(objectOf(dex?.document.value), 'issuer') ?? '/dex')
  const { USERID_HEADER: userId, GROUPS_HEADER: groups } = authservice?.values ?? {}
  return {
    resources: istio,
    meshConfigs,
    partRoutes: ownRoutes
      .filter(({ name }) => runs[name])
      .map((route) => (route.name === 'broker' ? { ...route, prefix: `${issuerPath}/` } : route)),
    issuer: proxyText(proxy, 'oidc_issuer_url'),
    identityHeaders: [userId || 'kubeflow-userid', groups || 'kubeflow-groups'],
  }
}
