import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { stringify } from 'yaml'

/** An application that signs its users in itself, as a client of the realm or of the broker. */
export interface RelyingParty {
  readonly id: string
  readonly secret: string
  readonly redirectUri: string
  /** Where its sign-outs may end. */
  readonly signedOutUri: string
  /** Where it is told of sign-outs. */
  readonly backchannelLogoutUri?: string
}

/** The one user of the platform. */
export const ada = {
  username: 'ada',
  email: 'ada@example.com',
  password: 'paper-tape-1843',
  groups: ['platform-users', 'team/ml'],
} as const

/** The static client of oauth2-proxy at the broker. */
export const proxyClient = { id: 'kubeflow-oidc-authservice', secret: 'hk2bD7Zs0mQxV1cTgPnE' } as const
const brokerClient = { id: 'dex', secret: 'rW9sYt4LuKc8JpXe6NqA' } as const

/** What a platform of its own has beside the stock. */
export interface PlatformFiles {
  readonly relyingParties?: readonly RelyingParty[]
  /** Redirect URIs of the client `proxyClient`, beside our own proxy's. */
  readonly proxyRedirectUris?: readonly string[]
  /** Lines of `oauth2_proxy.cfg` beside those that name provider and client. */
  readonly proxySettings?: readonly string[]
  /** Groups of `ada` beside her own. */
  readonly moreGroups?: readonly string[]
}

/**
 * Writes the files a platform admin would hand over (a realm, a Dex configuration, `oauth2_proxy.cfg`) into a directory
 * for `gatehouse up --from`. The realm is `platform`.
 */
export function platformFiles(platform: PlatformFiles = {}): string {
  const directory = mkdtempSync(join(tmpdir(), 'gatehouse-platform-'))
  writeFileSync(join(directory, 'realm.json'), JSON.stringify(realm(platform), null, 2))
  writeFileSync(join(directory, 'config.yaml'), stringify(dex(platform)))
  writeFileSync(join(directory, 'oauth2_proxy.cfg'), `${oauth2Proxy(platform).join('\n')}\n`)
  return directory
}

const origin = 'https://platform.example.com'

function realm({ relyingParties = [], moreGroups = [] }: PlatformFiles) {
  return {
    realm: 'platform',
    enabled: true,
    groups: [
      { name: 'platform-users' },
      { name: 'team', subGroups: [{ name: 'ml' }] },
      ...moreGroups.map((name) => ({ name })),
    ],
    users: [
      {
        username: ada.username,
        email: ada.email,
        emailVerified: true,
        firstName: 'Ada',
        lastName: 'Lovelace',
        groups: [...ada.groups, ...moreGroups].map((path) => `/${path}`),
        credentials: [{ type: 'password', value: ada.password }],
      },
    ],
    clients: [
      { clientId: brokerClient.id, secret: brokerClient.secret, redirectUris: [`${origin}/dex/callback`] },
      ...relyingParties.map(({ id, secret, redirectUri, signedOutUri, backchannelLogoutUri: told }) => ({
        clientId: id,
        secret,
        redirectUris: [redirectUri],
        attributes: {
          'post.logout.redirect.uris': signedOutUri,
          ...(told ? { 'backchannel.logout.url': told, 'backchannel.logout.session.required': 'true' } : {}),
        },
      })),
    ],
  }
}

function dex({ relyingParties = [], proxyRedirectUris = [] }: PlatformFiles) {
  return {
    issuer: `${origin}/dex`,
    storage: { type: 'memory' },
    web: { http: '0.0.0.0:5556' },
    oauth2: { skipApprovalScreen: true },
    staticClients: [
      { ...proxyClient, name: 'Platform', redirectURIs: ['/oauth2/callback', ...proxyRedirectUris] },
      ...relyingParties.map(({ id, secret, redirectUri, signedOutUri, backchannelLogoutUri: told }) => ({
        ...{ id, secret, name: id },
        redirectURIs: [redirectUri],
        postLogoutRedirectURIs: [signedOutUri],
        ...(told ? { backchannelLogoutURI: told } : {}),
      })),
    ],
    connectors: [
      {
        type: 'oidc',
        id: 'keycloak',
        name: 'Keycloak',
        config: {
          issuer: `${origin}/auth/realms/platform`,
          clientID: brokerClient.id,
          clientSecret: brokerClient.secret,
          redirectURI: `${origin}/dex/callback`,
          scopes: ['openid', 'profile', 'email', 'groups', 'offline_access'],
          insecureEnableGroups: true,
        },
      },
    ],
  }
}

function oauth2Proxy({ proxySettings = [] }: PlatformFiles): string[] {
  return [
    'provider = "oidc"',
    `client_id = "${proxyClient.id}"`,
    `client_secret = "${proxyClient.secret}"`,
    `oidc_issuer_url = "${origin}/dex"`,
    'scope = "openid profile email groups offline_access"',
    'prompt = "none"',
    'code_challenge_method = "S256"',
    'redirect_url = "/oauth2/callback"',
    'relative_redirect_url = true',
    'email_domains = "*"',
    'upstreams = [ "static://200" ]',
    'skip_provider_button = true',
    'set_authorization_header = true',
    'set_xauthrequest = true',
    'cookie_expire = "24h"',
    ...proxySettings,
  ]
}
