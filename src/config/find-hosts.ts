import type { GatewayConfig } from '../gateway/config.ts'
import type { DocumentPath, Source } from '../kit/problems.ts'
import { formatPath } from '../kit/problems.ts'
import type { Adapting } from './adapt.ts'
import { type HostMap, hostsOf, isInCluster, serviceName } from './host-map.ts'
import { objectOf, textValue } from './json-values.ts'
import type { Originals } from './originals.ts'
import { proxySetting } from './proxy-settings.ts'
import { isOurs } from './report.ts'
import type { ChainPart } from './stock.ts'

/** Services of Kubeflow that answer for a part, whether or not a file names them. */
const kubeflowHosts = {
  'dex.auth.svc.cluster.local': 'broker',
  'oauth2-proxy.oauth2-proxy.svc.cluster.local': 'proxy',
  'authservice.istio-system.svc.cluster.local': 'proxy',
  'centraldashboard.kubeflow.svc.cluster.local': 'console',
} as const satisfies Readonly<Record<string, ChainPart>>

/**
 * Which part answers for which host inside the cluster: the issuer and back-channel URLs lead to the broker, the
 * provider of CUSTOM policies to the proxy, routes by their paths. Apps that do not run here are answered by the echo
 * app, which shows what they would be told. Each mapping is told with its line.
 */
export function findHosts(originals: Originals, gateway: GatewayConfig, { apps, report }: Adapting): HostMap {
  const hosts = new Map<string, ChainPart>(hostsOf(apps))
  const map = (host: string, part: ChainPart) => {
    for (const name of spellings(host)) hosts.set(name, part)
  }
  for (const [host, part] of Object.entries(kubeflowHosts)) map(host, part)
  for (const { url, what, source, path } of backChannelUrls(originals)) {
    const host = hostOf(url)
    if (!host || !isInCluster(host)) continue
    map(host, 'broker')
    report.at('changed', source, path, what, { from: url, to: descriptions.broker })
  }
  tellUnreachableKeys(gateway, { hosts, report })
  for (const { name, service, place } of gateway.meshConfig.extensionProviders) {
    if (hosts.has(service) && !isInCluster(service)) continue // one of our own names
    map(service, 'proxy')
    hosts.set(service, 'proxy')
    report.add({ kind: 'changed', ...lineOf(place), what: `provider ${name}`, from: service, to: descriptions.proxy })
  }
  for (const { host, namespace, prefixes, place } of destinationsOf(gateway)) {
    const service = serviceName(host, namespace)
    const part = hosts.get(service) ?? partAtPrefix(prefixes)
    if (!part && !isInCluster(service)) continue
    map(service, part ?? 'echo')
    if (!hosts.has(host)) hosts.set(host, part ?? 'echo')
    if (isOurs(place)) continue
    const to = part ? descriptions[part] : 'the echo app here, as this app does not run'
    report.add({ kind: 'changed', ...lineOf(place), what: 'destination', from: service, to })
  }
  return hosts
}

const descriptions: Readonly<Record<ChainPart, string>> = {
  realm: 'the realm here',
  broker: 'the broker here',
  proxy: 'the proxy here',
  console: 'the portal here',
  echo: 'the echo app here',
  notes: 'the notes app here',
}

/** Keys that only the inside of a cluster serves: elsewhere tokens of that issuer are refused. */
function tellUnreachableKeys(
  { requestAuthentications }: GatewayConfig,
  { hosts, report }: { hosts: HostMap } & Pick<Adapting, 'report'>,
): void {
  for (const { issuer, jwksUri = issuer, place } of requestAuthentications.flatMap(({ jwtRules }) => jwtRules)) {
    const host = hostOf(jwksUri)
    if (!host || !isInCluster(host) || hosts.has(serviceName(host))) continue
    const what = `tokens of ${issuer}`
    if (/^(?:cluster-jwks-proxy|kubernetes\.default)\b/.test(host)) {
      report.add({
        kind: 'changed',
        ...lineOf(place),
        what,
        from: host,
        to: 'the API server, which only a pod can ask',
      })
      continue
    }
    const why = `its keys are at ${host}, which is not reached from here`
    report.add({ kind: 'ignored', ...lineOf(place), what, why })
  }
}

const hostOf = (url: string): string | undefined => /^https?:\/\/([^/:]+)/.exec(url)?.[1]

function destinationsOf({ virtualServices }: GatewayConfig) {
  return virtualServices
    .flatMap(({ http }) => http)
    .flatMap(({ action, matches, place }) => {
      const prefixes = matches.flatMap(({ uri }) => (uri?.kind === 'prefix' ? [uri.text] : []))
      const destinations = action.kind === 'forward' ? action.destinations : []
      return destinations.map(({ host, namespace }) => ({ host, namespace, prefixes, place }))
    })
}

/** A route by its path: a Keycloak or Dex under a name of its own is still one. */
function partAtPrefix(prefixes: readonly string[]): ChainPart | undefined {
  const parts: Readonly<Record<string, ChainPart>> = {
    '/auth': 'realm',
    '/dex': 'broker',
    '/oauth2': 'proxy',
    '/authservice': 'proxy',
  }
  return prefixes.map((prefix) => parts[prefix.replace(/\/$/, '')]).find((part) => part !== undefined)
}

function lineOf(place: { readonly file: string; readonly line?: number } | undefined) {
  return place ? { file: place.file, ...(place.line === undefined ? {} : { line: place.line }) } : {}
}

/** `dex.auth.svc.cluster.local` is also `dex.auth.svc` and `dex.auth` inside the cluster. */
function spellings(host: string): string[] {
  const name = serviceName(host)
  const short = name.replace(/\.svc\.cluster\.local$/, '')
  return short === name ? [name] : [name, `${short}.svc`, short]
}

interface FoundUrl {
  readonly url: string
  readonly what: string
  readonly source: Source
  readonly path: DocumentPath
}

function backChannelUrls({ dex, proxy, authservice, istio }: Originals): FoundUrl[] {
  const issuer = dex && textValue(objectOf(dex.document.value), 'issuer')
  const found: FoundUrl[] = issuer
    ? [{ url: issuer, what: 'issuer', source: dex.document.source, path: ['issuer'] }]
    : []
  for (const key of ['oidc_issuer_url', 'redeem_url', 'oidc_jwks_url', 'profile_url', 'end_session_url'] as const) {
    const setting = proxy && proxySetting(proxy, key)
    if (setting) found.push({ url: String(setting.value), what: key, source: setting.source, path: setting.path })
  }
  const provider = authservice?.values['OIDC_PROVIDER']
  const place = authservice?.placeOf('OIDC_PROVIDER')
  if (provider && place) found.push({ url: provider, what: 'OIDC_PROVIDER', ...place })
  for (const { value, source } of istio) {
    const rules = objectOf(objectOf(value)['spec'])['jwtRules']
    for (const [index, rule] of (Array.isArray(rules) ? rules : []).entries()) {
      const path = ['spec', 'jwtRules', index, 'jwksUri']
      const url = textValue(objectOf(rule), 'jwksUri')
      if (url && issuer && objectOf(rule)['issuer'] === issuer)
        found.push({ url, what: formatPath(path), source, path })
    }
  }
  return found
}
