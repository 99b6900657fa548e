import { brokerConfigSchema } from '../broker/config.ts'
import { parseGatewayConfig } from '../gateway/config.ts'
import { Problems } from '../kit/problems.ts'
import { proxyConfigSchema } from '../proxy/config.ts'
import type { ChainConfig } from './chain.ts'
import { type ChainSecrets, clientSecretOf } from './chain-secrets.ts'
import { brokerClientId, platformRealm, platformRealmName, proxyClientId } from './default-realm.ts'
import { hostsOf } from './host-map.ts'
import {
  type AppRoute,
  exemptPathsOf,
  ownRoutes,
  partHosts,
  portalRoute,
  stockMeshConfig,
  stockPolicies,
  stockRequestAuthentication,
  stockVirtualServices,
} from './stock.ts'
import { withSignOutsTold } from './tell-sign-outs.ts'

/** What the default chain is made for. */
export interface DefaultChain {
  /** Origin browsers use; no trailing slash. */
  readonly publicUrl: string
  readonly secrets: ChainSecrets
  readonly apps: readonly AppRoute[]
}

/** The apps that ship with Gatehouse: one that trusts the gateway's headers, one that signs users in itself. */
export const demoApps: readonly AppRoute[] = [
  { name: 'echo', prefix: '/echo/', host: partHosts.echo },
  { name: 'notes', prefix: '/notes/', host: partHosts.notes, isExempt: true, clientId: 'notes', isToldSignOuts: true },
]

/** The chain of `gatehouse up`: realm `platform`, broker, proxy and the stock policies, all on `publicUrl`. */
export function defaultChain({ publicUrl, secrets, apps }: DefaultChain): ChainConfig {
  const issuer = `${publicUrl}/dex`
  const problems = new Problems()
  const gateway = parseGatewayConfig(
    [
      ...stockPolicies(exemptPathsOf([...ownRoutes, ...apps])),
      ...stockRequestAuthentication(issuer, [proxyClientId]),
      ...stockVirtualServices([...ownRoutes, ...apps, portalRoute]),
      ...stockMeshConfig(),
    ],
    problems,
  )
  problems.throwIfAny()
  return withSignOutsTold({
    publicUrl,
    realm: { publicUrl: `${publicUrl}/auth`, realms: [platformRealm({ publicUrl, secrets, apps })] },
    broker: brokerConfigSchema.parse(defaultBroker({ publicUrl, secrets })),
    proxy: proxyConfigSchema.parse(defaultProxy({ publicUrl, secrets })),
    gateway,
    hosts: hostsOf(apps),
    report: { lines: [] },
  })
}

/** The broker in Dex's vocabulary: one connector to the realm `platform`, one client, the proxy. */
export function defaultBroker({ publicUrl, secrets }: Omit<DefaultChain, 'apps'>) {
  return {
    issuer: `${publicUrl}/dex`,
    oauth2: { skipApprovalScreen: true },
    staticClients: [
      {
        id: proxyClientId,
        name: 'Platform sign-in',
        secret: clientSecretOf(secrets, proxyClientId),
        redirectURIs: ['/oauth2/callback'],
        postLogoutRedirectURIs: ['/oauth2/signed_out'],
      },
    ],
    connectors: [
      {
        type: 'oidc',
        id: 'keycloak',
        name: 'Platform',
        config: {
          issuer: `${publicUrl}/auth/realms/${platformRealmName}`,
          clientID: brokerClientId,
          clientSecret: clientSecretOf(secrets, brokerClientId),
          redirectURI: `${publicUrl}/dex/callback`,
          // Keycloak gives a refresh token without `offline_access`; with it the session would outlive a sign-out there.
          scopes: ['openid', 'profile', 'email', 'groups'],
          insecureEnableGroups: true,
        },
      },
    ],
  }
}

/** The proxy as Kubeflow runs it, but without a page before the sign-in, and with groups. */
export function defaultProxy({ publicUrl, secrets }: Omit<DefaultChain, 'apps'>) {
  return {
    provider: 'oidc',
    provider_display_name: 'Platform',
    client_id: proxyClientId,
    client_secret: clientSecretOf(secrets, proxyClientId),
    oidc_issuer_url: `${publicUrl}/dex`,
    skip_oidc_discovery: true,
    login_url: '/dex/auth',
    redeem_url: `${publicUrl}/dex/token`,
    oidc_jwks_url: `${publicUrl}/dex/keys`,
    scope: 'openid profile email groups offline_access',
    prompt: 'none',
    code_challenge_method: 'S256',
    redirect_url: '/oauth2/callback',
    relative_redirect_url: true,
    post_logout_redirect_url: '/oauth2/signed_out',
    email_domains: ['*'],
    // A front server may name the way back as a whole URL of this platform.
    whitelist_domains: [new URL(publicUrl).host],
    upstreams: ['static://200'],
    skip_auth_routes: ['^/dex/'],
    api_routes: ['/api/', '/apis/', '^/ml_metadata'],
    skip_provider_button: true,
    set_authorization_header: true,
    set_xauthrequest: true,
    cookie_name: 'gatehouse',
    cookie_secret: secrets.cookie,
    cookie_secure: publicUrl.startsWith('https:'),
    cookie_expire: '24h',
    // Asked every minute, the identity provider's word holds: who is disabled there is out here.
    cookie_refresh: '1m',
  }
}
