import {
  allowInsecureRequests,
  ClientSecretBasic,
  ClientSecretPost,
  Configuration,
  clockSkew,
  customFetch,
  discovery,
  enableNonRepudiationChecks,
  None,
  type ServerMetadata,
} from 'openid-client'
import { systemClock } from '../../kit/clock.ts'
import { type ConnectorDependencies, ConnectorError, messageOf } from './connector.ts'
import type { OidcConnectorConfig } from './oidc-config.ts'

/** The identity provider behind an `oidc` connector: its discovery document, fetched when first needed. */
export interface UpstreamProvider {
  /** @throws ConnectorError `unavailable` while its discovery document cannot be had. */
  configuration(): Promise<Configuration>
}

const timeoutSeconds = 10
/** Milliseconds until a failed discovery is tried again: doubled each time. */
const retry = { first: 1000, longest: 60_000 }
/** Tokens are checked against the injected clock; a drift this small (seconds) is not worth a new configuration. */
const toleratedDrift = 5

/** Opens the provider; nothing is fetched yet, so one that is down does not keep the broker from starting. */
export function openUpstreamProvider(
  config: OidcConnectorConfig,
  { id, fetch, clock, log }: ConnectorDependencies,
): UpstreamProvider {
  let metadata: ServerMetadata | undefined
  let discovering: Promise<ServerMetadata> | undefined
  let failure: { readonly error: ConnectorError; readonly retryAt: number; readonly wait: number } | undefined
  let configured: { readonly configuration: Configuration; readonly skew: number } | undefined

  async function discover(): Promise<ServerMetadata> {
    try {
      const found = await fetchMetadata(config, fetch)
      log.info('identity provider discovered', { connector: id, issuer: found.issuer })
      failure = undefined
      metadata = found
      return found
    } catch (cause) {
      const wait = Math.min(failure ? failure.wait * 2 : retry.first, retry.longest)
      const error = new ConnectorError('unavailable', `discovery of ${config.issuer} failed: ${messageOf(cause)}`)
      failure = { error, wait, retryAt: clock.now() + wait }
      throw error
    }
  }

  function loadMetadata(): Promise<ServerMetadata> {
    discovering ??= discover().finally(() => {
      discovering = undefined
    })
    return discovering
  }

  return {
    async configuration() {
      if (!metadata && failure && clock.now() < failure.retryAt) throw failure.error
      const server = metadata ?? (await loadMetadata())
      // openid-client reads the machine's clock; the skew makes it see the injected one.
      const skew = Math.round((clock.now() - systemClock.now()) / 1000)
      if (!configured || Math.abs(configured.skew - skew) > toleratedDrift) {
        configured = { configuration: configure(server, config, { skew, fetch }), skew }
      }
      return configured.configuration
    },
  }
}

async function fetchMetadata(
  config: OidcConnectorConfig,
  fetch: ConnectorDependencies['fetch'],
): Promise<ServerMetadata> {
  const issuer = config.issuer.replace(/\/$/, '')
  const { providerDiscoveryOverrides: overrides } = config
  const found = await discovery(
    new URL(`${issuer}/.well-known/openid-configuration`),
    config.clientID,
    undefined,
    undefined,
    {
      [customFetch]: (url, options) => fetch(url, options as RequestInit),
      timeout: timeoutSeconds,
      ...(isInsecure(config) ? { execute: [allowInsecureRequests] } : {}),
    },
  )
  const server = found.serverMetadata()
  const expected = config.issuerAlias || config.issuer
  if (new URL(server.issuer).href !== new URL(expected).href) {
    throw new TypeError(`its issuer is \`${server.issuer}\`, expected \`${expected}\``)
  }
  return {
    ...server,
    ...optional('authorization_endpoint', overrides.authURL),
    ...optional('token_endpoint', overrides.tokenURL),
    ...optional('jwks_uri', overrides.jwksURL),
    ...optional('userinfo_endpoint', overrides.userInfoURL),
    ...optional('end_session_endpoint', overrides.endSessionURL),
  }
}

function configure(
  server: ServerMetadata,
  config: OidcConnectorConfig,
  { skew, fetch }: { skew: number; fetch: ConnectorDependencies['fetch'] },
): Configuration {
  const configuration = new Configuration(
    server,
    config.clientID,
    { [clockSkew]: skew },
    clientAuthentication(server, config),
  )
  configuration[customFetch] = (url, options) => fetch(url, options as RequestInit)
  configuration.timeout = timeoutSeconds
  if (isInsecure(config)) allowInsecureRequests(configuration)
  // Without this openid-client trusts TLS alone for ID tokens from the token endpoint.
  enableNonRepudiationChecks(configuration)
  return configuration
}

function clientAuthentication(
  server: ServerMetadata,
  { clientSecret, basicAuthUnsupported, issuer }: OidcConnectorConfig,
) {
  if (clientSecret === '') return None()
  const methods = server.token_endpoint_auth_methods_supported
  const prefersPost = methods?.includes('client_secret_post') && !methods.includes('client_secret_basic')
  const isOkta = /\.okta(preview)?\.com$/.test(new URL(issuer).hostname)
  return (basicAuthUnsupported ?? (prefersPost || isOkta))
    ? ClientSecretPost(clientSecret)
    : ClientSecretBasic(clientSecret)
}

/** Plain http is what the configuration asks for by an http issuer (inside a cluster). */
function isInsecure({ issuer }: OidcConnectorConfig): boolean {
  return issuer.startsWith('http:')
}

function optional(name: string, value: string): Record<string, string> {
  return value === '' ? {} : { [name]: value }
}
