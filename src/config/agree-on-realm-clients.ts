import type { DocumentPath, Source, SourceDocument } from '../kit/problems.ts'
import { namedSource } from '../kit/problems.ts'
import { type Adapting, withValueAt, withVariables } from './adapt.ts'
import { clientSecretOf } from './chain-secrets.ts'
import { objectOf, objectsOf, textValue, valueAt } from './json-values.ts'
import { isPlaceholderSecret } from './known-public-secrets.ts'
import type { Originals } from './originals.ts'
import { proxySetting, proxyText, withProxySetting } from './proxy-settings.ts'
import { isOurs } from './report.ts'

/** Something that signs its users in at a realm of this run. */
interface RealmUser {
  /** `Dex connector keycloak` */
  readonly title: string
  readonly issuer: string
  readonly clientId: string
  readonly secret: string | undefined
  readonly redirectUri: string
  /** Where its sign-outs come back to. */
  readonly postLogoutUri: string
  readonly source: Source
  readonly path: DocumentPath
  withSecret(originals: Originals, secret: string): Originals
}

/**
 * Gives every user of a realm of this run its client: a realm nobody has a file of is made, with the client and without
 * users; a secret that one side lacks (or has a guide's stand-in for) is the other side's or a generated one; sign-out
 * may come back. What the two sides say differently is left for the checks.
 */
export function agreeOnRealmClients(originals: Originals, adapting: Adapting): Originals {
  let agreed = originals
  for (const user of realmUsers(originals, adapting)) agreed = agreeWith(user, agreed, adapting)
  return agreed
}

function agreeWith(user: RealmUser, originals: Originals, adapting: Adapting): Originals {
  const { publicUrl, secrets, report } = adapting
  const name = user.issuer.slice(`${publicUrl}/auth/realms/`.length)
  const at = originals.realms.findIndex(({ value }) => textValue(objectOf(value), 'realm') === name)
  const realm = originals.realms[at]
  const clients = objectsOf(objectOf(realm?.value)['clients'])
  const index = clients.findIndex(({ clientId }) => clientId === user.clientId)
  const theirs = textValue(clients[index] ?? {}, 'secret')
  const known = [user.secret, theirs].find((secret) => !isPlaceholderSecret(secret))
  const secret = known ?? clientSecretOf(secrets, user.clientId)

  let agreed = originals
  if (isPlaceholderSecret(user.secret)) {
    const to = known === undefined ? 'a generated secret' : 'the secret of the realm’s client'
    report.at('filled in', user.source, user.path, `secret of ${user.title}`, { to })
    agreed = user.withSecret(agreed, secret)
  }
  if (!realm) {
    report.filled(`realm \`${name}\``, {
      why: `for ${user.title}; it has the client \`${user.clientId}\` and no users`,
    })
    return { ...agreed, realms: [...agreed.realms, newRealm(name, { user, secret })] }
  }
  if (index === -1 && !isOurs(user.source)) return agreed
  const completed =
    index === -1
      ? withValueAt(realm, ['clients'], [...clients, newClient({ user, secret })])
      : completeClient(realm, { index, user, secret, report })
  return { ...agreed, realms: agreed.realms.map((each, position) => (position === at ? completed : each)) }
}

function newRealm(name: string, { user, secret }: { user: RealmUser; secret: string }): SourceDocument {
  const value = {
    realm: name,
    enabled: true,
    bruteForceProtected: true,
    groups: [{ name: 'platform-users' }, { name: 'platform-admins' }, { name: 'team', subGroups: [{ name: 'ml' }] }],
    clients: [newClient({ user, secret })],
  }
  return { value, source: namedSource(`gatehouse:realm ${name}`) }
}

const postLogoutKey = 'post.logout.redirect.uris'

function newClient({ user, secret }: { user: RealmUser; secret: string }) {
  return {
    clientId: user.clientId,
    secret,
    directAccessGrantsEnabled: true,
    redirectUris: [user.redirectUri],
    attributes: { [postLogoutKey]: user.postLogoutUri },
  }
}

function completeClient(
  realm: SourceDocument,
  { index, user, secret, report }: { index: number; user: RealmUser; secret: string } & Pick<Adapting, 'report'>,
): SourceDocument {
  const path = ['clients', index]
  const client = objectOf(objectsOf(objectOf(realm.value)['clients'])[index])
  let completed = realm
  if (client['publicClient'] !== true && isPlaceholderSecret(client['secret'])) {
    report.at('filled in', realm.source, path, `secret of client \`${user.clientId}\``, { to: `that of ${user.title}` })
    completed = withValueAt(completed, [...path, 'secret'], secret)
  }
  const written = objectOf(client['attributes'])[postLogoutKey]
  const uris = typeof written === 'string' ? written.split('##').filter(Boolean) : []
  if (uris.includes(user.postLogoutUri)) return completed
  report.at('filled in', realm.source, [...path, 'attributes', postLogoutKey], postLogoutKey, {
    to: user.postLogoutUri,
    why: `where a sign-out of ${user.title} comes back to`,
  })
  const all = [...(uris.length > 0 ? uris : ['+']), user.postLogoutUri].join('##')
  return withValueAt(completed, [...path, 'attributes', postLogoutKey], all)
}

function realmUsers(originals: Originals, { publicUrl }: Adapting): RealmUser[] {
  const users = [...connectorUsers(originals, publicUrl), ...proxyUsers(originals, publicUrl)]
  return users.filter(({ issuer }) => issuer.startsWith(`${publicUrl}/auth/realms/`))
}

function connectorUsers({ dex }: Originals, publicUrl: string): RealmUser[] {
  if (!dex) return []
  const { document } = dex
  const root = objectOf(document.value)
  const issuerPath = (textValue(root, 'issuer') ?? '').replace(/^https?:\/\/[^/]*/, '').replace(/\/$/, '')
  return objectsOf(valueAt(root, 'connectors')).flatMap((connector, index) => {
    const config = objectOf(valueAt(connector, 'config'))
    const clientId = textValue(config, 'clientID')
    if (textValue(connector, 'type') !== 'oidc' || !clientId) return []
    const path = ['connectors', index, 'config']
    const secretKey = Object.keys(config).find((key) => key.toLowerCase() === 'clientsecret') ?? 'clientSecret'
    return {
      title: `Dex connector ${textValue(connector, 'id') ?? index}`,
      issuer: textValue(config, 'issuer') ?? '',
      clientId,
      secret: secretOf(textValue(config, secretKey), dex.environment.values),
      redirectUri: textValue(config, 'redirectURI') ?? `${publicUrl}${issuerPath}/callback`,
      postLogoutUri: `${publicUrl}${issuerPath}/logout/callback`,
      source: document.source,
      path: [...path, secretKey],
      withSecret: (originals, secret) =>
        originals.dex
          ? {
              ...originals,
              dex: { ...originals.dex, document: withValueAt(originals.dex.document, [...path, secretKey], secret) },
            }
          : originals,
    }
  })
}

/** A connector's secret may be a variable (Dex expands them there). */
function secretOf(text: string | undefined, values: Readonly<Record<string, string | undefined>>): string | undefined {
  const name = /^\$\{?(\w+)\}?$/.exec(text ?? '')?.[1]
  return name === undefined ? text : values[name]
}

/** oauth2-proxy or oidc-authservice straight at Keycloak. */
function proxyUsers({ proxy, authservice }: Originals, publicUrl: string): RealmUser[] {
  const absolute = (url: string) => (url.startsWith('/') ? `${publicUrl}${url}` : url)
  const users: RealmUser[] = []
  const issuer = proxyText(proxy, 'oidc_issuer_url')
  const secretPlace = proxy && (proxySetting(proxy, 'client_secret') ?? proxySetting(proxy, 'oidc_issuer_url'))
  if (secretPlace && issuer) {
    users.push({
      title: 'oauth2-proxy',
      issuer,
      clientId: proxyText(proxy, 'client_id') ?? '',
      secret: proxyText(proxy, 'client_secret'),
      redirectUri: absolute(proxyText(proxy, 'redirect_url') ?? '/oauth2/callback'),
      postLogoutUri: `${publicUrl}/oauth2/signed_out`,
      source: secretPlace.source,
      path: secretPlace.path,
      withSecret: (originals, secret) =>
        originals.proxy
          ? { ...originals, proxy: withProxySetting(originals.proxy, 'client_secret', secret) }
          : originals,
    })
  }
  const place = authservice?.placeOf('CLIENT_SECRET') ?? authservice?.placeOf('OIDC_PROVIDER')
  if (authservice && place) {
    const { values } = authservice
    const prefix = (values['AUTHSERVICE_URL_PREFIX'] ?? '/authservice/').replace(/\/$/, '')
    users.push({
      title: 'oidc-authservice',
      issuer: values['OIDC_PROVIDER'] ?? '',
      clientId: values['CLIENT_ID'] ?? '',
      secret: values['CLIENT_SECRET'],
      redirectUri: absolute(values['REDIRECT_URL'] || `${prefix}/oidc/callback`),
      postLogoutUri: `${publicUrl}${prefix}/*`,
      ...place,
      withSecret: (originals, secret) =>
        originals.authservice
          ? { ...originals, authservice: withVariables(originals.authservice, { CLIENT_SECRET: secret }) }
          : originals,
    })
  }
  return users
}
