import type { Broker } from '../broker.ts'

/** Grants offered, in Dex's sorted order; each only where the configuration allows it. */
export function offeredGrants({ oauth2 }: Broker['config']): string[] {
  const { grantTypes, passwordConnector, responseTypes } = oauth2
  const offered = [
    'authorization_code',
    // Dex: only where a response type brings a token through the browser.
    ...(responseTypes.some((type) => type.split(' ').includes('token')) ? ['implicit'] : []),
    ...(passwordConnector === '' ? [] : ['password']),
    'refresh_token',
  ]
  return offered.filter((grant) => grantTypes?.includes(grant) ?? true)
}

/** As Dex's own sessions, to come, announce them. */
function logoutMetadata(endSession: string) {
  return {
    end_session_endpoint: endSession,
    backchannel_logout_supported: true,
    backchannel_logout_session_supported: true,
  }
}

/** `/.well-known/openid-configuration`: Dex's keys in Dex's order, without the device flow, which is not offered. */
export function discoveryDocument({ issuer, config }: Broker, algorithm: string): string {
  const document = {
    issuer: issuer.url,
    authorization_endpoint: issuer.absolute('/auth'),
    token_endpoint: issuer.absolute('/token'),
    jwks_uri: issuer.absolute('/keys'),
    userinfo_endpoint: issuer.absolute('/userinfo'),
    introspection_endpoint: issuer.absolute('/token/introspect'),
    ...(config.sessions.enabled ? logoutMetadata(issuer.absolute('/logout')) : {}),
    grant_types_supported: offeredGrants(config),
    response_types_supported: [...config.oauth2.responseTypes].sort(),
    subject_types_supported: ['public'],
    id_token_signing_alg_values_supported: [algorithm],
    code_challenge_methods_supported: ['S256', 'plain'],
    scopes_supported: ['openid', 'email', 'groups', 'profile', 'offline_access'],
    token_endpoint_auth_methods_supported: ['client_secret_basic', 'client_secret_post'],
    claims_supported: [
      'iss',
      'sub',
      'aud',
      'iat',
      'exp',
      'email',
      'email_verified',
      'locale',
      'name',
      'preferred_username',
      'at_hash',
      ...(config.sessions.enabled ? ['groups', 'federated_claims', 'sid'] : []),
    ],
  }
  return JSON.stringify(document, undefined, 2)
}
