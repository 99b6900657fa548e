import { grants } from '../grants/index.ts'
import type { Realm } from '../realm.ts'
import type { Call } from './endpoint.ts'

/** `.well-known/openid-configuration`: Keycloak's keys in its order, those this realm really serves. */
export function discovery(_call: Call, realm: Realm): Response {
  const base = `${realm.issuer}/protocol/openid-connect`
  const clientAuthentication = ['client_secret_basic', 'client_secret_post']
  const body = {
    issuer: realm.issuer,
    authorization_endpoint: `${base}/auth`,
    token_endpoint: `${base}/token`,
    introspection_endpoint: `${base}/token/introspect`,
    userinfo_endpoint: `${base}/userinfo`,
    end_session_endpoint: `${base}/logout`,
    jwks_uri: `${base}/certs`,
    grant_types_supported: Object.keys(grants),
    acr_values_supported: ['0', '1'],
    response_types_supported: ['code'],
    subject_types_supported: ['public'],
    prompt_values_supported: ['none', 'login'],
    id_token_signing_alg_values_supported: [realm.model.settings.defaultSignatureAlgorithm],
    response_modes_supported: ['query', 'fragment', 'form_post'],
    token_endpoint_auth_methods_supported: clientAuthentication,
    introspection_endpoint_auth_methods_supported: clientAuthentication,
    claims_supported: claims,
    claim_types_supported: ['normal'],
    claims_parameter_supported: false,
    scopes_supported: ['openid', ...realm.model.scopes.keys()],
    request_parameter_supported: false,
    request_uri_parameter_supported: false,
    code_challenge_methods_supported: ['plain', 'S256'],
    revocation_endpoint: `${base}/revoke`,
    revocation_endpoint_auth_methods_supported: clientAuthentication,
    backchannel_logout_supported: true,
    backchannel_logout_session_supported: true,
    authorization_response_iss_parameter_supported: true,
  }
  return Response.json(body, { headers: { 'cache-control': 'no-cache, must-revalidate, no-transform, no-store' } })
}

const claims = [
  'iss', 'sub', 'aud', 'exp', 'iat', 'auth_time', 'name', 'given_name', 'family_name', 'preferred_username', 'email',
  'acr', 'azp', 'nonce',
] // biome-ignore format: a list of names
