import type { BrokerConfig, StaticClient } from '../broker/config.ts'
import type { GatewayConfig } from '../gateway/config.ts'
import type { DocumentPath, Problems, Source } from '../kit/problems.ts'
import type { ProxyConfig } from '../proxy/config.ts'
import type { ProxyKeyName } from '../proxy/keys.ts'
import type { RealmRepresentation } from '../realm/config.ts'
import { notPathsOf } from './complete-gateway.ts'
import { objectOf } from './json-values.ts'
import type { Originals } from './originals.ts'
import { proxySetting } from './proxy-settings.ts'

/** A chain whose files were each read without error, and the files, for their lines. */
export interface CheckedChain {
  readonly publicUrl: string
  readonly realms: readonly RealmRepresentation[]
  readonly broker: BrokerConfig | undefined
  readonly proxy: ProxyConfig | undefined
  readonly gateway: GatewayConfig
  readonly originals: Originals
}

interface Place {
  readonly source: Source
  readonly path: DocumentPath
}

/**
 * What one file says and another must say, too: each mismatch here is a login that fails. Both places are told.
 */
export function checkChain(chain: CheckedChain, problems: Problems): void {
  const { broker, proxy } = chain
  if (broker && proxy) checkProxyClient({ ...chain, broker, proxy }, problems)
  if (broker) checkConnectors({ ...chain, broker }, problems)
  checkTokenIssuer(chain, problems)
  checkExemptions(chain.originals, problems)
  checkGroups(chain, problems)
}

type WithBroker = CheckedChain & { readonly broker: BrokerConfig }

function checkProxyClient(chain: WithBroker & { readonly proxy: ProxyConfig }, problems: Problems): void {
  const { broker, proxy, publicUrl, originals } = chain
  const dex = placeInDex(originals, ['issuer'])
  const at = (key: ProxyKeyName) => placeInProxy(originals, key)
  if (isRealmOf(publicUrl, proxy.oidc_issuer_url)) return // signs in at the realm, not at the broker
  if (proxy.oidc_issuer_url !== broker.issuer) {
    const message = `is \`${proxy.oidc_issuer_url}\`, but the issuer is \`${broker.issuer}\`${seen(dex)}`
    tell(problems, at('oidc_issuer_url'), message, 'write both alike, to the letter')
  }
  const index = broker.staticClients.findIndex(({ id }) => id === proxy.client_id)
  const client = broker.staticClients[index]
  if (!client) {
    const known = broker.staticClients.map(({ id }) => `\`${id}\``).join(', ') || 'none'
    const message = `no static client of Dex has the id \`${proxy.client_id}\`${seen(placeInDex(originals, ['staticClients']))}`
    tell(problems, at('client_id'), message, `known: ${known}`)
    return
  }
  checkClient(client, { ...chain, place: placeInDex(originals, ['staticClients', index]) }, problems)
}

function checkClient(
  client: StaticClient,
  {
    proxy,
    originals,
    publicUrl,
    place,
  }: CheckedChain & { readonly proxy: ProxyConfig; readonly place: Place | undefined },
  problems: Problems,
): void {
  if (!client.public && proxy.client_secret !== '' && client.secret !== proxy.client_secret) {
    const message = `is not the secret of the static client \`${client.id}\`${seen(place)}`
    tell(problems, placeInProxy(originals, 'client_secret'), message, 'give both the same Secret')
  }
  const { redirect_url: url, relative_redirect_url: isRelative } = proxy
  const sent = url.startsWith('/') && !isRelative ? `${publicUrl}${url}` : url
  if (client.redirectURIs.includes(sent)) return
  const message = `\`${sent}\` is none of the redirectURIs of the static client \`${client.id}\`${seen(place)}`
  const key = url === '' ? 'oidc_issuer_url' : 'redirect_url'
  tell(problems, placeInProxy(originals, key), message, `known: ${client.redirectURIs.join(', ') || 'none'}`)
}

function checkConnectors({ broker, realms, originals, publicUrl }: WithBroker, problems: Problems): void {
  const callback = `${pathOf(broker.issuer)}/callback`
  for (const [index, { type, config }] of broker.connectors.entries()) {
    if (type !== 'oidc') continue
    const path = ['connectors', index, 'config']
    const { redirectURI = `${publicUrl}${callback}`, issuer, clientID } = config
    const redirectPlace = placeInDex(originals, [...path, 'redirectURI'])
    if (pathOf(redirectURI) !== callback) {
      const message = `\`${redirectURI}\` is not where Dex listens for connectors: issuer ${broker.issuer}`
      tell(problems, redirectPlace, message, `its path must be ${callback}`)
    }
    const at = realms.findIndex(({ realm }) => issuer === `${publicUrl}/auth/realms/${realm}`)
    const realm = realms[at]
    if (!realm) continue
    const clientAt = realm.clients.findIndex(({ clientId }) => clientId === clientID)
    const client = realm.clients[clientAt]
    const document = originals.realms[at]
    const place = document && { source: document.source, path: ['clients', clientAt] }
    if (!client) {
      const message = `the realm \`${realm.realm}\` has no client \`${clientID}\`${seen(document && { source: document.source, path: ['clients'] })}`
      tell(problems, placeInDex(originals, [...path, 'clientID']), message, 'add it to the realm file')
      continue
    }
    if (!client.publicClient && client.secret !== config.clientSecret) {
      const message = `is not the secret of the realm's client \`${clientID}\`${seen(place)}`
      tell(problems, placeInDex(originals, [...path, 'clientSecret']), message, 'write the same secret in both')
    }
    if (!client.redirectUris.some((uri) => matchesRedirect(uri, redirectURI, client.rootUrl))) {
      const message = `\`${redirectURI}\` is none of the redirectUris of the realm's client \`${clientID}\`${seen(place)}`
      tell(problems, redirectPlace, message, 'add it there')
    }
  }
}

/** Keycloak's rule: exact, or a prefix where the entry ends with `*`; entries may be relative to `rootUrl`. */
function matchesRedirect(entry: string, uri: string, rootUrl = ''): boolean {
  const full = entry.startsWith('/') ? `${rootUrl}${entry}` : entry
  return full.endsWith('*') ? uri.startsWith(full.slice(0, -1)) : full === uri
}

/** Some RequestAuthentication must verify the tokens the proxy adds to requests. */
function checkTokenIssuer({ gateway, proxy }: CheckedChain, problems: Problems): void {
  if (!proxy || proxy.authservice || !proxy.set_authorization_header) return
  const rules = gateway.requestAuthentications.flatMap(({ jwtRules }) => jwtRules)
  if (rules.some(({ issuer }) => issuer === proxy.oidc_issuer_url || issuer === '')) return
  const known = rules.map(({ issuer }) => `\`${issuer}\``).join(', ')
  const [first] = rules
  problems.list.push({
    severity: 'error',
    ...(first?.place ?? { file: 'istio', path: '' }),
    message: `no RequestAuthentication verifies the tokens of \`${proxy.oidc_issuer_url}\`, so every request would be refused (known: ${known || 'none'})`,
    fix: 'write the issuer of the tokens, to the letter',
  })
}

/** The pair of policies must exempt the same paths: one list only is a 403, or the wrong login page. */
function checkExemptions({ istio }: Originals, problems: Problems): void {
  const listsOf = (action: string) =>
    istio
      .filter(
        ({ value }) =>
          objectOf(value)['kind'] === 'AuthorizationPolicy' && objectOf(objectOf(value)['spec'])['action'] === action,
      )
      .flatMap((document) => notPathsOf(document).map((entry) => ({ ...entry, document })))
  const custom = listsOf('CUSTOM')
  const deny = listsOf('DENY')
  if (custom.length === 0 || deny.length === 0) return
  for (const [own, others, consequence] of [
    [custom, deny, 'users would get 403 there'],
    [deny, custom, 'users would be sent to the platform’s sign-in there'],
  ] as const) {
    const exempted = new Set(others.flatMap(({ list }) => list))
    for (const { document, path, list } of own) {
      for (const [index, value] of list.entries()) {
        if (exempted.has(value) || value.endsWith('**')) continue
        const [other] = others
        const place = other && { source: other.document.source, path: other.path }
        problems.warn(
          document.source,
          [...path, index],
          `\`${value}\` is exempt here, but not in the other policy${seen(place)}: ${consequence}`,
          'write it into both lists',
        )
      }
    }
  }
}

/** Groups travel realm → connector → broker → proxy → header; each hop must ask for them. */
function checkGroups({ broker, proxy, gateway, originals, publicUrl }: CheckedChain, problems: Problems): void {
  const stop = (place: Place | undefined, hop: string, fix: string) => {
    if (place)
      problems.warn(place.source, place.path, `groups stop here, at ${hop}: \`kubeflow-groups\` will be empty`, fix)
  }
  for (const [index, { type, config }] of (broker?.connectors ?? []).entries()) {
    if (type !== 'oidc') continue
    const path = ['connectors', index, 'config']
    const asksRealm = isRealmOf(publicUrl, config.issuer)
    if (asksRealm && !config.scopes.includes('groups')) {
      stop(placeInDex(originals, [...path, 'scopes']), 'the connector', 'add the scope `groups`')
    }
    if (!config.insecureEnableGroups)
      stop(placeInDex(originals, path), 'the connector', 'set `insecureEnableGroups: true`')
  }
  if (proxy && !proxy.scope.split(' ').includes('groups')) {
    const place = originals.authservice?.placeOf('OIDC_SCOPES') ?? placeInProxy(originals, 'scope')
    stop(place, proxy.authservice ? 'oidc-authservice' : 'oauth2-proxy', 'add the scope `groups`')
  }
  const rules = gateway.requestAuthentications.flatMap(({ jwtRules }) => jwtRules)
  const rule = rules.find(({ issuer }) => issuer === proxy?.oidc_issuer_url)
  if (!rule || proxy?.authservice || rule.outputClaimToHeaders.some(({ claim }) => claim === 'groups')) return
  problems.list.push({
    severity: 'warning',
    ...rule.place,
    message: 'groups stop here, at the gateway: `kubeflow-groups` will be empty',
    fix: 'add `{header: kubeflow-groups, claim: groups}` to outputClaimToHeaders',
  })
}

const isRealmOf = (publicUrl: string, issuer: string): boolean => issuer.startsWith(`${publicUrl}/auth/realms/`)
const pathOf = (url: string): string => url.replace(/^https?:\/\/[^/]*/, '').replace(/\/$/, '')

function placeInDex({ dex }: Originals, path: DocumentPath): Place | undefined {
  return dex && { source: dex.document.source, path }
}

function placeInProxy({ proxy, authservice }: Originals, key: ProxyKeyName): Place | undefined {
  const variables = {
    oidc_issuer_url: 'OIDC_PROVIDER',
    client_id: 'CLIENT_ID',
    client_secret: 'CLIENT_SECRET',
    redirect_url: 'REDIRECT_URL',
  }
  const variable = (variables as Partial<Record<ProxyKeyName, string>>)[key]
  if (!proxy) return variable === undefined ? undefined : authservice?.placeOf(variable)
  return proxySetting(proxy, key) ?? (proxy.document && { source: proxy.document.source, path: [] })
}

function tell(problems: Problems, place: Place | undefined, message: string, fix: string): void {
  const { source, path } = place ?? { source: { file: 'gatehouse', position: () => undefined }, path: [] }
  problems.error(source, path, message, fix)
}

/** ` (config.yaml:12)` */
function seen(place: Place | undefined): string {
  if (!place) return ''
  const line = place.source.position(place.path)?.line
  return ` (${place.source.file}${line === undefined ? '' : `:${line}`})`
}
