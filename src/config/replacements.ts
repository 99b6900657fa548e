import { type DocumentPath, formatPath, namedSource, type Problems, type SourceDocument } from '../kit/problems.ts'
import type { Environment } from './environment.ts'
import { isInCluster } from './host-map.ts'
import { objectOf, objectsOf, textsOf, textValue, valueAt } from './json-values.ts'
import type { Originals } from './originals.ts'
import { mapTexts } from './placeholders.ts'
import { proxyText } from './proxy-settings.ts'
import type { ReportBook } from './report.ts'

/** How addresses of the platform become addresses of this run. */
export interface Replacements {
  /** Longest first. */
  readonly texts: readonly { readonly from: string; readonly to: string }[]
  /** Hosts of the platform's public origins. */
  readonly hosts: ReadonlySet<string>
  readonly publicUrl: string
  /** Whether Keycloak has an origin of its own, so that its paths are new to the platform's gateway. */
  readonly isRealmElsewhere: boolean
}

/** `https://host/auth/realms/name`, also where a guide's name is empty or its host is `<IP address>`. */
const realmUrlPattern = /^(https?:\/\/[^/]+(?:\/[^/]+)*?\/realms\/)([^/?#]*)/

/**
 * Finds the platform's public origins (of issuers, redirect URIs and login URLs; names inside the cluster stay as they
 * are) and its Keycloak, and what takes their place: `publicUrl`, and `<publicUrl>/auth/realms/<name>`. Addresses at an
 * origin of `kept` stay, since what answers there goes on; one that no file names is a problem.
 */
export function findReplacements(
  originals: Originals,
  { publicUrl, kept = [], problems }: { publicUrl: string; kept?: readonly string[] | undefined; problems: Problems },
): Replacements {
  const texts = new Map<string, string>()
  const origins = new Set<string>()
  const realmOrigins = new Set<string>()
  checkKept(kept, { originals, problems })
  for (const url of platformUrls(originals)) {
    const origin = originOf(url)
    if (origin !== undefined && kept.includes(origin)) continue
    const [realmUrl, base, name] = realmUrlPattern.exec(url) ?? []
    if (realmUrl !== undefined && base !== undefined) {
      texts.set(realmUrl, `${publicUrl}/auth/realms/${name || onlyRealmName(originals)}`)
      if (name !== '') texts.set(base, `${publicUrl}/auth/realms/`)
      realmOrigins.add(origin ?? '')
    } else if (origin !== undefined && !isInCluster(hostOf(origin))) origins.add(origin)
  }
  const { dex, proxy } = originals
  const issuer = textValue(objectOf(dex?.document.value), 'issuer') ?? proxyText(proxy, 'oidc_issuer_url')
  // an issuer without a path has an origin of its own, whose root is not free here
  if (issuer !== undefined && origins.has(issuer.replace(/\/$/, ''))) texts.set(issuer, `${publicUrl}/dex`)
  for (const origin of origins) if (!texts.has(origin)) texts.set(origin, publicUrl)
  return {
    texts: [...texts].map(([from, to]) => ({ from, to })).sort((a, b) => b.from.length - a.from.length),
    hosts: new Set([...origins].map(hostOf)),
    publicUrl,
    isRealmElsewhere: [...realmOrigins].some((origin) => !origins.has(origin)),
  }
}

function checkKept(
  kept: readonly string[],
  { originals, problems }: { originals: Originals; problems: Problems },
): void {
  const originsOf = (urls: readonly string[]) => new Set(urls.flatMap((url) => originOf(url) ?? []))
  const own = originsOf(redirectUrls(originals))
  const others = [...originsOf(platformUrls(originals)).difference(own)].filter((one) => !isInCluster(hostOf(one)))
  const fix = others.length === 0 ? 'leave it out' : `name ${others.join(' or ')}`
  for (const origin of kept) {
    if (own.has(origin)) problems.error(namedSource('--keep'), [], `\`${origin}\` is where people come back to`, fix)
    else if (!others.includes(origin)) problems.error(namedSource('--keep'), [], `no file names \`${origin}\``, fix)
  }
}

/** The originals with every address of the platform replaced, and each change told with its line. */
export function replaceAddresses(originals: Originals, replacements: Replacements, report: ReportBook): Originals {
  const change = textChanger(replacements)
  const inDocument = <Document extends SourceDocument>(document: Document): Document => ({
    ...document,
    value: mapTexts(document.value, (text, path) => {
      const to = change(text)
      if (to !== text) report.at('changed', document.source, path, formatPath(path), { from: text, to })
      return to
    }),
  })
  const inEnvironment = (environment: Environment): Environment => {
    const values = Object.entries(environment.values).map(([name, text]) => {
      const place = environment.placeOf(name)
      if (text === undefined || !place) return [name, text]
      const to = change(text)
      if (to !== text) report.at('changed', place.source, place.path, name, { from: text, to })
      return [name, to]
    })
    return { ...environment, values: Object.fromEntries(values) }
  }
  const { dex, proxy, authservice } = originals
  return {
    dex: dex && { document: inDocument(dex.document), environment: inEnvironment(dex.environment) },
    proxy: proxy && {
      document: proxy.document && inDocument(proxy.document),
      environment: inEnvironment(proxy.environment),
    },
    authservice: authservice && inEnvironment(authservice),
    realms: originals.realms.map(inDocument),
    istio: originals.istio.map((document) => replaceHosts(inDocument(document), replacements, report)),
    meshConfigs: originals.meshConfigs,
  }
}

/** Where browsers come back to: the platform itself. */
function redirectUrls({ dex, proxy, authservice }: Originals): string[] {
  return textsOf([
    ...connectorsOf(dex).map((connector) => textValue(connector, 'redirectURI')),
    proxyText(proxy, 'redirect_url'),
    authservice?.values['REDIRECT_URL'],
  ])
}

function connectorsOf(dex: Originals['dex']) {
  const connectors = objectsOf(valueAt(objectOf(dex?.document.value), 'connectors'))
  return connectors.map((connector) => objectOf(valueAt(connector, 'config')))
}

function platformUrls(originals: Originals): string[] {
  const { dex, proxy, authservice, istio } = originals
  const rules = istio
    .filter(({ value }) => objectOf(value)['kind'] === 'RequestAuthentication')
    .flatMap(({ value }) => objectsOf(objectOf(objectOf(value)['spec'])['jwtRules']))
    .filter(({ issuer }) => /\/dex$|\/realms\//.test(String(issuer)))
  return textsOf([
    ...redirectUrls(originals),
    textValue(objectOf(dex?.document.value), 'issuer'),
    ...connectorsOf(dex).map((connector) => realmUrlOnly(textValue(connector, 'issuer'))),
    ...(['oidc_issuer_url', 'login_url'] as const).map((key) => proxyText(proxy, key)),
    ...['OIDC_PROVIDER', 'OIDC_AUTH_URL'].map((name) => authservice?.values[name]),
    ...rules.map(({ issuer }) => issuer),
  ])
}

/** An upstream identity provider that is no Keycloak (Google, GitHub) stays where it is. */
const realmUrlOnly = (url: string | undefined): string | undefined =>
  realmUrlPattern.test(url ?? '') ? url : undefined

const originOf = (url: string): string | undefined => /^https?:\/\/[^/?#]+/.exec(url)?.[0]
const hostOf = (origin: string): string => origin.replace(/^https?:\/\//, '').replace(/:\d+$/, '')

/** A guide's realm without a name is the one whose file is there. */
function onlyRealmName({ realms }: Originals): string {
  const [first] = realms
  return (first && textValue(objectOf(first.value), 'realm')) || 'kubeflow'
}

function textChanger({ texts }: Replacements): (text: string) => string {
  if (texts.length === 0) return (text) => text
  const targets = new Map(texts.map(({ from, to }) => [from, to]))
  const alternatives = texts.map(({ from, to }) => {
    const literal = from.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')
    // not the beginning of another host, port or name
    return to.endsWith('/') ? literal : `${literal}(?![\\w.:%@-])`
  })
  const pattern = new RegExp(`(?<![\\w.-])(?:${alternatives.join('|')})`, 'g')
  return (text) => text.replace(pattern, (found) => targets.get(found) ?? found)
}

/**
 * The platform's hosts in Istio resources. Routes are for every host here, as the stock ones are; a policy compares the
 * host with its port.
 */
function replaceHosts(
  document: SourceDocument,
  { hosts, publicUrl }: Replacements,
  report: ReportBook,
): SourceDocument {
  const isPolicy = objectOf(document.value)['kind'] === 'AuthorizationPolicy'
  const value = mapTexts(document.value, (text, path) => {
    const host = text.replace(/^[^/]*\//, '').replace(/:[\d*]+$/, '')
    if (!isHostList(path) || !hosts.has(host)) return text
    const to = isPolicy ? publicUrl.replace(/^.*\/\//, '') : '*'
    report.at('changed', document.source, path, formatPath(path), { from: text, to })
    return to
  })
  return { ...document, value: isPolicy ? value : withoutCoveredHosts(value) }
}

/** Istio takes no host beside the `*` that has it already. */
function withoutCoveredHosts(resource: unknown): unknown {
  const spec = objectOf(objectOf(resource)['spec'])
  const { hosts } = spec
  if (!Array.isArray(hosts) || !hosts.includes('*')) return resource
  return { ...objectOf(resource), spec: { ...spec, hosts: ['*'] } }
}

const isHostList = (path: DocumentPath): boolean => /^(?:hosts|notHosts)$/.test(String(path.at(-2)))
