import type { ProxyConfig } from '../typed-config.ts'
import { type AlphaInput, type AlphaOptions, alphaOptionsSchema } from './alpha-options.ts'
import { headersOfConfig } from './headers-of-config.ts'
import { upstreamsOfConfig } from './upstreams-of-config.ts'

/**
 * Providers, injected headers, upstreams and listeners of a configuration: those of its alpha file, else those its flat
 * keys stand for. @throws GatehouseError `config` for an upstream that is no URL.
 */
export function alphaOf(config: ProxyConfig): AlphaOptions {
  return config.alpha ?? alphaOfConfig(config)
}

/**
 * Turns flat keys into the alpha shape (oauth2-proxy pkg/apis/options/legacy_options.go, `ToOptions`).
 * @throws GatehouseError `config` for an upstream that is no URL.
 */
export function alphaOfConfig(config: ProxyConfig): AlphaOptions {
  return alphaOptionsSchema.parse({
    upstreamConfig: { upstreams: upstreamsOfConfig(config) },
    ...headersOfConfig(config),
    server: serverOf(config),
    metricsServer: metricsServerOf(config),
    providers: [providerOf(config)],
  })
}

/** With a certificate the original listens by TLS only; the alpha shape can do both. */
function serverOf(config: ProxyConfig): AlphaInput['server'] {
  const { http_address: http, https_address: https, tls_key_file: key, tls_cert_file: cert } = config
  if (key === '' && cert === '') return { bindAddress: http }
  return {
    secureBindAddress: https,
    tls: {
      key: { fromFile: key },
      cert: { fromFile: cert },
      minVersion: config.tls_min_version,
      cipherSuites: [...config.tls_cipher_suites],
    },
  }
}

function metricsServerOf(config: ProxyConfig): AlphaInput['metricsServer'] {
  const { metrics_tls_key_file: key, metrics_tls_cert_file: cert } = config
  return {
    bindAddress: config.metrics_address,
    secureBindAddress: config.metrics_secure_address,
    ...(key === '' && cert === '' ? {} : { tls: { key: { fromFile: key }, cert: { fromFile: cert } } }),
  }
}

type ProviderInput = NonNullable<AlphaInput['providers']>[number]

function providerOf(config: ProxyConfig): ProviderInput {
  return {
    id: config.provider_display_name || `${config.provider}=${config.client_id}`,
    name: config.provider_display_name,
    provider: config.provider,
    clientID: config.client_id,
    clientSecret: config.client_secret,
    clientSecretFile: config.client_secret_file,
    loginURL: config.login_url,
    loginURLParameters: loginParametersOf(config),
    redeemURL: config.redeem_url,
    profileURL: config.profile_url,
    skipClaimsFromProfileURL: config.skip_claims_from_profile_url,
    validateURL: config.validate_url,
    authRequestResponseMode: config.auth_request_response_mode,
    resource: config.resource,
    scope: config.scope,
    allowedGroups: [...config.allowed_groups],
    code_challenge_method: config.code_challenge_method || config.force_code_challenge_method,
    backendLogoutURL: config.backend_logout_url,
    caFiles: [...config.provider_ca_files],
    useSystemTrustStore: config.use_system_trust_store,
    oidcConfig: oidcOf(config),
    azureConfig: { tenant: config.azure_tenant, graphGroupField: config.azure_graph_group_field },
    ...specialsOf(config),
  }
}

function oidcOf(config: ProxyConfig): ProviderInput['oidcConfig'] {
  const { oidc_audience_claims: audienceClaims } = config
  return {
    issuerURL: config.oidc_issuer_url,
    insecureAllowUnverifiedEmail: config.insecure_oidc_allow_unverified_email,
    insecureSkipIssuerVerification: config.insecure_oidc_skip_issuer_verification,
    insecureSkipNonce: config.insecure_oidc_skip_nonce,
    skipDiscovery: config.skip_oidc_discovery,
    jwksURL: config.oidc_jwks_url,
    publicKeyFiles: [...config.oidc_public_key_files],
    emailClaim: config.oidc_email_claim || 'email',
    groupsClaim: config.oidc_groups_claim || 'groups',
    userIDClaim: config.user_id_claim || 'email',
    audienceClaims: audienceClaims.length > 0 ? [...audienceClaims] : ['aud'],
    extraAudiences: [...config.oidc_extra_audiences],
    enabledSigningAlgs: [...config.oidc_enabled_signing_algs],
  }
}

/** What only one type of provider knows; the keys of the others count for nothing. */
function specialsOf(config: ProxyConfig): Partial<ProviderInput> {
  switch (config.provider) {
    case 'github':
      return {
        githubConfig: {
          org: config.github_org,
          team: config.github_team,
          repo: config.github_repo,
          token: config.github_token,
          users: [...config.github_users],
        },
      }
    case 'keycloak-oidc':
      return { keycloakConfig: { groups: [...config.keycloak_groups], roles: [...config.allowed_roles] } }
    case 'keycloak':
      return { keycloakConfig: { groups: [...config.keycloak_groups] } }
    case 'gitlab':
      return { gitlabConfig: { group: [...config.gitlab_groups], projects: [...config.gitlab_projects] } }
    case 'login.gov':
      return {
        loginGovConfig: { jwtKey: config.jwt_key, jwtKeyFile: config.jwt_key_file, pubjwkURL: config.pubjwk_url },
      }
    case 'bitbucket':
      return { bitbucketConfig: { team: config.bitbucket_team, repository: config.bitbucket_repository } }
    case 'google':
      return { googleConfig: googleOf(config) }
    case 'entra-id':
      return {
        microsoftEntraIDConfig: {
          allowedTenants: [...config.entra_id_allowed_tenants],
          federatedTokenAuth: config.entra_id_federated_token_auth,
        },
      }
    default:
      return {}
  }
}

function googleOf(config: ProxyConfig): ProviderInput['googleConfig'] {
  return {
    group: [...(config.google_group.length > 0 ? config.google_group : config.google_groups)],
    adminEmail: config.google_admin_email,
    serviceAccountJson: config.google_service_account_json,
    useApplicationDefaultCredentials: config.google_use_application_default_credentials,
    targetPrincipal: config.google_target_principal,
    useOrganizationID: config.google_use_organization_id,
    adminAPIUserScope: config.google_admin_api_user_scope,
  }
}

function loginParametersOf({ acr_values: acr, prompt, approval_prompt: approval, authservice }: ProxyConfig) {
  if (authservice) return [] // it sends none, and Dex would ask for consent each time
  const parameter = (name: string, value: string) => ({ name, default: [value] })
  return [
    ...(acr === '' ? [] : [parameter('acr_values', acr)]),
    prompt === '' ? parameter('approval_prompt', approval || 'force') : parameter('prompt', prompt),
  ]
}
