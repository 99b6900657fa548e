import { namedSource } from '../kit/problems.ts'
import type { Adapting } from './adapt.ts'
import { clientSecretOf } from './chain-secrets.ts'
import { defaultBroker, defaultProxy } from './default-chain.ts'
import { platformRealmName, proxyClientId } from './default-realm.ts'
import { environmentOf } from './environment.ts'
import { pathOf } from './host-map.ts'
import { objectOf, objectsOf, textsOf, textValue } from './json-values.ts'
import type { Originals } from './originals.ts'
import { proxyText } from './proxy-settings.ts'

const noEnvironment = environmentOf(undefined, { process: {}, files: new Map() })

/**
 * Adds the configuration of a part that the directory has none of: a Dex where nobody says otherwise who signs users
 * in, an oauth2-proxy in front of it. They are the default chain's, with the issuer and the client the other files name.
 */
export function withMissingParts(originals: Originals, adapting: Adapting): Originals {
  return withMissingProxy(withMissingDex(originals, adapting), adapting)
}

function withMissingDex(originals: Originals, { publicUrl, secrets, report }: Adapting): Originals {
  const { proxy, authservice, realms } = originals
  const issuer = proxyText(proxy, 'oidc_issuer_url') ?? authservice?.values['OIDC_PROVIDER'] ?? policyIssuer(originals)
  if (originals.dex || issuer?.includes('/realms/')) return originals
  const realmName = realms.map(({ value }) => textValue(objectOf(value), 'realm')).find(Boolean) ?? platformRealmName
  const { connectors, staticClients, ...rest } = defaultBroker({ publicUrl, secrets })
  const id = proxyText(proxy, 'client_id') ?? authservice?.values['CLIENT_ID'] ?? proxyClientId
  const secret =
    proxyText(proxy, 'client_secret') ?? authservice?.values['CLIENT_SECRET'] ?? clientSecretOf(secrets, id)
  const redirectUri = proxyText(proxy, 'redirect_url') ?? authservice?.values['REDIRECT_URL'] ?? '/oauth2/callback'
  const value = {
    ...rest,
    issuer: issuer ?? rest.issuer,
    storage: { type: 'memory' },
    web: { http: '0.0.0.0:5556' },
    staticClients: staticClients.map((client) => ({ ...client, id, secret, redirectURIs: [redirectUri] })),
    connectors: connectors.map((connector) => ({
      ...connector,
      config: {
        ...connector.config,
        issuer: `${publicUrl}/auth/realms/${realmName}`,
        redirectURI: `${publicUrl}${pathOf(issuer ?? rest.issuer)}/callback`,
      },
    })),
  }
  report.filled('a Dex configuration', {
    to: `a connector to the realm \`${realmName}\``,
    why: 'the directory has none',
  })
  return {
    ...originals,
    dex: { document: { value, source: namedSource('gatehouse:dex') }, environment: noEnvironment },
  }
}

/** The issuer a RequestAuthentication expects of a Dex. */
function policyIssuer({ istio }: Originals): string | undefined {
  return istio
    .filter(({ value }) => objectOf(value)['kind'] === 'RequestAuthentication')
    .flatMap(({ value }) => objectsOf(objectOf(objectOf(value)['spec'])['jwtRules']))
    .flatMap(({ issuer }) => textsOf([issuer]))
    .find((issuer) => issuer.endsWith('/dex'))
}

function withMissingProxy(originals: Originals, { publicUrl, secrets, report }: Adapting): Originals {
  const issuer = textValue(objectOf(originals.dex?.document.value), 'issuer')
  if (originals.proxy || originals.authservice || issuer === undefined) return originals
  // who it is to Dex, and its secrets, are filled in with those of files that lack them
  const {
    client_id: _id,
    client_secret: _secret,
    cookie_secret: _cookie,
    ...rest
  } = defaultProxy({ publicUrl, secrets })
  const value = {
    ...rest,
    oidc_issuer_url: issuer,
    login_url: `${pathOf(issuer)}/auth`,
    redeem_url: `${issuer.replace(/\/$/, '')}/token`,
    oidc_jwks_url: `${issuer.replace(/\/$/, '')}/keys`,
  }
  report.filled('an oauth2-proxy configuration', { why: 'the directory has none' })
  return {
    ...originals,
    proxy: { document: { value, source: namedSource('gatehouse:oauth2-proxy') }, environment: noEnvironment },
  }
}
