import type { SourceDocument } from '../kit/problems.ts'
import type { Adapting } from './adapt.ts'
import { withValueAt, withVariables } from './adapt.ts'
import { clientSecretOf } from './chain-secrets.ts'
import { proxyClientId } from './default-realm.ts'
import { type JsonObject, objectOf, objectsOf, textsOf, textValue, valueAt } from './json-values.ts'
import { isPlaceholderSecret } from './known-public-secrets.ts'
import type { Original, Originals, ProxyOriginal } from './originals.ts'
import { proxyText, withProxySetting } from './proxy-settings.ts'
import { isOurs } from './report.ts'

/** The id Kubeflow gives the one client of its Dex. */
const kubeflowClientId = 'kubeflow-oidc-authservice'

/** The program in front of the apps, as a client of Dex. */
interface FrontClient {
  readonly id: string | undefined
  readonly secret: string | undefined
  readonly redirectUri: string | undefined
}

/**
 * Where a file leaves open who oauth2-proxy (or oidc-authservice) is to Dex — `idEnv` and `secretEnv` of a Secret that
 * is not in the directory, no `client_id` — the other file says it, or both get the same made-up one. What two files
 * say differently is left for the checks.
 */
export function agreeOnProxyClient(originals: Originals, adapting: Adapting): Originals {
  const { dex } = originals
  const front = frontClient(originals)
  const index = dex ? findClient(dex, front) : -1
  const client = objectsOf(valueAt(objectOf(dex?.document.value), 'staticClients'))[index]
  if (!dex) return originals
  if (!client) return withOwnClient({ ...originals, dex }, adapting)

  const [idName, secretName] = [textValue(client, 'idEnv'), textValue(client, 'secretEnv')]
  const { values } = dex.environment
  const id = textValue(client, 'id') || values[idName ?? ''] || front.id || kubeflowClientId
  const known = [textValue(client, 'secret'), values[secretName ?? ''], front.secret]
  const secret = known.find((one) => !isPlaceholderSecret(one)) ?? clientSecretOf(adapting.secrets, id)

  const variables: Record<string, string> = {}
  const { report } = adapting
  const fill = (key: string, name: string | undefined, value: string, shown: string) => {
    if (name === undefined || name === '' || values[name]) return
    variables[name] = value
    report.at('filled in', dex.document.source, ['staticClients', index, key], name, {
      to: shown,
      why: 'set in no file',
    })
  }
  fill('idEnv', idName, id, `\`${id}\``)
  fill('secretEnv', secretName, secret, secret === front.secret ? 'the secret the client has' : 'a generated secret')
  const document = withSecret(withWayBack({ ...originals, dex }, index, adapting), { index, secret, report })
  return withFrontClient(
    { ...originals, dex: { ...dex, document, environment: withVariables(dex.environment, variables) } },
    { id, secret, adapting },
  )
}

function frontClient({ proxy, authservice }: Originals): FrontClient {
  if (authservice && !proxy) {
    const { CLIENT_ID: id, CLIENT_SECRET: secret, REDIRECT_URL: redirectUri } = authservice.values
    return { id, secret: isPlaceholderSecret(secret) ? undefined : secret, redirectUri }
  }
  const secret = proxyText(proxy, 'client_secret')
  return {
    id: proxyText(proxy, 'client_id'),
    secret: isPlaceholderSecret(secret) ? undefined : secret,
    redirectUri: proxyText(proxy, 'redirect_url'),
  }
}

/** By its id, else by the redirect URI, else the one Kubeflow's own files have. */
function findClient({ document, environment }: Original, { id, redirectUri }: FrontClient): number {
  const clients = objectsOf(valueAt(objectOf(document.value), 'staticClients'))
  const idOf = (client: JsonObject) => textValue(client, 'id') ?? environment.values[textValue(client, 'idEnv') ?? '']
  const redirectsTo = (client: JsonObject, uri: string) => textsOf(valueAt(client, 'redirectURIs')).includes(uri)
  const byId = clients.findIndex((client) => id !== undefined && idOf(client) === id)
  if (byId !== -1) return byId
  const byRedirect = clients.findIndex((client) => redirectsTo(client, redirectUri ?? '/oauth2/callback'))
  return byRedirect !== -1 ? byRedirect : clients.findIndex((client) => textValue(client, 'idEnv') === 'OIDC_CLIENT_ID')
}

/** A stand-in in the client itself gives way to the secret. */
function withSecret(
  document: SourceDocument,
  { index, secret, report }: { index: number; secret: string } & Pick<Adapting, 'report'>,
): SourceDocument {
  const client = objectsOf(valueAt(objectOf(document.value), 'staticClients'))[index] ?? {}
  const written = valueAt(client, 'secret')
  if (written === undefined || valueAt(client, 'public') === true || !isPlaceholderSecret(written)) return document
  const path = ['staticClients', index, 'secret']
  report.at('filled in', document.source, path, 'secret', { to: 'that of oauth2-proxy, or a generated one' })
  return withValueAt(document, path, secret)
}

/** Dex itself knows no sign-out, so its files do not say where one of oauth2-proxy comes back to. */
function withWayBack(
  { dex: { document }, proxy }: Originals & { readonly dex: Original },
  index: number,
  { report }: Adapting,
): SourceDocument {
  const path = ['staticClients', index, 'postLogoutRedirectURIs']
  const client = objectsOf(valueAt(objectOf(document.value), 'staticClients'))[index] ?? {}
  if (!proxy || valueAt(client, 'postLogoutRedirectURIs') !== undefined) return document
  const to = signedOutPath(proxy)
  report.at('filled in', document.source, path.slice(0, 2), 'postLogoutRedirectURIs', {
    to,
    why: 'where a sign-out comes back to',
  })
  return withValueAt(document, path, [to])
}

/** The page of oauth2-proxy where a sign-out ends. */
const signedOutPath = (proxy: ProxyOriginal): string => `${proxyText(proxy, 'proxy_prefix') ?? '/oauth2'}/signed_out`

/** An oauth2-proxy that no file speaks of is a client of Dex that no file speaks of either. */
function withOwnClient(originals: Originals & { readonly dex: Original }, adapting: Adapting): Originals {
  const { dex, proxy } = originals
  if (!proxy?.document || !isOurs(proxy.document.source)) return originals
  const secret = clientSecretOf(adapting.secrets, proxyClientId)
  const clients = objectsOf(valueAt(objectOf(dex.document.value), 'staticClients'))
  const own = {
    id: proxyClientId,
    name: 'oauth2-proxy',
    secret,
    redirectURIs: ['/oauth2/callback'],
    postLogoutRedirectURIs: [signedOutPath(proxy)],
  }
  adapting.report.filled('a static client of Dex', { to: `\`${proxyClientId}\``, why: 'none is for oauth2-proxy' })
  const document = withValueAt(dex.document, ['staticClients'], [...clients, own])
  return withFrontClient({ ...originals, dex: { ...dex, document } }, { id: proxyClientId, secret, adapting })
}

/** Gives the proxy the id and secret of Dex's client where it has none. */
function withFrontClient(
  originals: Originals,
  { id, secret, adapting }: { id: string; secret: string; adapting: Adapting },
): Originals {
  const { report } = adapting
  if (!originals.proxy) return originals
  let { proxy } = originals
  if (proxyText(proxy, 'client_id') === undefined) {
    proxy = withProxySetting(proxy, 'client_id', id)
    report.filled('oauth2-proxy client_id', { to: `\`${id}\``, why: 'the static client of Dex' })
  }
  if (isPlaceholderSecret(proxyText(proxy, 'client_secret')) && proxyText(proxy, 'client_secret_file') === undefined) {
    proxy = withProxySetting(proxy, 'client_secret', secret)
    report.filled('oauth2-proxy client_secret', { to: 'the secret of the static client of Dex' })
  }
  return { ...originals, proxy }
}
