import { withValueAt, withVariables } from './adapt.ts'
import { pathOf } from './host-map.ts'
import { type JsonObject, objectOf, objectsOf, textValue, valueAt } from './json-values.ts'
import type { Original, Originals } from './originals.ts'
import { type Place, placeInDex, placeInProxy } from './places.ts'
import { proxyText, withProxySetting } from './proxy-settings.ts'

/** Something that signs its users in at a realm of this run: a connector of Dex, or the proxy itself. */
export interface RealmUser {
  /** `Dex connector keycloak` */
  readonly title: string
  readonly issuer: string
  readonly clientId: string
  readonly secret: string | undefined
  readonly redirectUri: string
  /** Where its sign-outs come back to. */
  readonly postLogoutUri: string
  readonly clientIdPlace: Place | undefined
  readonly secretPlace: Place | undefined
  readonly redirectPlace: Place | undefined
  withSecret(originals: Originals, secret: string): Originals
}

/** Everything that is, or should be, a client of a realm at `<publicUrl>/auth`. */
export function realmUsers(originals: Originals, publicUrl: string): RealmUser[] {
  const { dex } = originals
  const connectors = objectsOf(valueAt(objectOf(dex?.document.value), 'connectors'))
  const users = [
    ...connectors.map((connector, index) => dex && connectorUser(connector, { index, dex, originals, publicUrl })),
    proxyUser(originals, publicUrl),
    authserviceUser(originals, publicUrl),
  ]
  return users.filter((user) => user !== undefined).filter(({ issuer }) => isRealmOf(publicUrl, issuer))
}

/** Whether an issuer is a realm of this run. */
export function isRealmOf(publicUrl: string, issuer: string): boolean {
  return issuer.startsWith(`${publicUrl}/auth/realms/`)
}

function connectorUser(
  connector: JsonObject,
  { index, dex, originals, publicUrl }: { index: number; dex: Original; originals: Originals; publicUrl: string },
): RealmUser | undefined {
  const config = objectOf(valueAt(connector, 'config'))
  const clientId = textValue(config, 'clientID')
  if (textValue(connector, 'type') !== 'oidc' || !clientId) return undefined
  const issuer = textValue(objectOf(dex.document.value), 'issuer') ?? ''
  const base = `${publicUrl}${pathOf(issuer)}`
  const path = ['connectors', index, 'config']
  const secretKey = Object.keys(config).find((key) => key.toLowerCase() === 'clientsecret') ?? 'clientSecret'
  return {
    title: `Dex connector ${textValue(connector, 'id') ?? index}`,
    issuer: textValue(config, 'issuer') ?? '',
    clientId,
    secret: variableOrText(textValue(config, secretKey), dex.environment.values),
    redirectUri: textValue(config, 'redirectURI') ?? `${base}/callback`,
    postLogoutUri: `${base}/logout/callback`,
    clientIdPlace: placeInDex(originals, [...path, 'clientID']),
    secretPlace: placeInDex(originals, [...path, secretKey]),
    redirectPlace: placeInDex(originals, [...path, 'redirectURI']),
    withSecret: (from, secret) => {
      const document = from.dex && withValueAt(from.dex.document, [...path, secretKey], secret)
      return document && from.dex ? { ...from, dex: { ...from.dex, document } } : from
    },
  }
}

/** Dex expands variables in the settings of a connector. */
function variableOrText(text: string | undefined, values: Readonly<Record<string, string | undefined>>) {
  const name = /^\$\{?(\w+)\}?$/.exec(text ?? '')?.[1]
  return name === undefined ? text : values[name]
}

function proxyUser(originals: Originals, publicUrl: string): RealmUser | undefined {
  const { proxy } = originals
  if (!proxy) return undefined
  return {
    title: 'oauth2-proxy',
    issuer: proxyText(proxy, 'oidc_issuer_url') ?? '',
    clientId: proxyText(proxy, 'client_id') ?? '',
    secret: proxyText(proxy, 'client_secret'),
    redirectUri: absolute(proxyText(proxy, 'redirect_url') ?? '/oauth2/callback', publicUrl),
    postLogoutUri: `${publicUrl}/oauth2/signed_out`,
    ...proxyPlaces(originals),
    withSecret: (from, secret) =>
      from.proxy ? { ...from, proxy: withProxySetting(from.proxy, 'client_secret', secret) } : from,
  }
}

function authserviceUser(originals: Originals, publicUrl: string): RealmUser | undefined {
  const { authservice, proxy } = originals
  if (!authservice || proxy) return undefined
  const { OIDC_PROVIDER, CLIENT_ID, CLIENT_SECRET, REDIRECT_URL, AUTHSERVICE_URL_PREFIX } = authservice.values
  const prefix = (AUTHSERVICE_URL_PREFIX || '/authservice/').replace(/\/$/, '')
  return {
    title: 'oidc-authservice',
    issuer: OIDC_PROVIDER ?? '',
    clientId: CLIENT_ID ?? '',
    secret: CLIENT_SECRET,
    redirectUri: absolute(REDIRECT_URL || `${prefix}/oidc/callback`, publicUrl),
    postLogoutUri: `${publicUrl}/*`,
    ...proxyPlaces(originals),
    withSecret: (from, secret) =>
      from.authservice ? { ...from, authservice: withVariables(from.authservice, { CLIENT_SECRET: secret }) } : from,
  }
}

function proxyPlaces(originals: Originals) {
  return {
    clientIdPlace: placeInProxy(originals, 'client_id'),
    secretPlace: placeInProxy(originals, 'client_secret'),
    redirectPlace: placeInProxy(originals, 'redirect_url'),
  }
}

const absolute = (url: string, publicUrl: string): string => (url.startsWith('/') ? `${publicUrl}${url}` : url)
