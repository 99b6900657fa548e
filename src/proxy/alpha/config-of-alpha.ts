import type { ProxyConfig } from '../typed-config.ts'
import type { AlphaOptions } from './alpha-options.ts'

/**
 * The configuration with an alpha file laid over it. What the file says of the first provider and of the listeners is
 * repeated in the flat keys, for those who show or explain a configuration.
 */
export function configOfAlpha(config: ProxyConfig, alpha: AlphaOptions): ProxyConfig {
  return { ...config, ...providerKeys(alpha), ...serverKeys(alpha), upstreams: upstreamUrls(alpha), alpha }
}

function providerKeys({ providers: [provider] }: AlphaOptions): Partial<ProxyConfig> {
  if (!provider) return {}
  const { oidcConfig: oidc } = provider
  const parameter = (name: string) => provider.loginURLParameters.find((one) => one.name === name)?.default[0] ?? ''
  return {
    provider: provider.provider,
    provider_display_name: provider.name,
    client_id: provider.clientID,
    client_secret: provider.clientSecret,
    client_secret_file: provider.clientSecretFile,
    login_url: provider.loginURL,
    redeem_url: provider.redeemURL,
    profile_url: provider.profileURL,
    skip_claims_from_profile_url: provider.skipClaimsFromProfileURL,
    validate_url: provider.validateURL,
    auth_request_response_mode: provider.authRequestResponseMode,
    resource: provider.resource,
    scope: provider.scope,
    prompt: parameter('prompt'),
    approval_prompt: parameter('approval_prompt'),
    acr_values: parameter('acr_values'),
    allowed_groups: provider.allowedGroups,
    allowed_roles: provider.keycloakConfig.roles,
    code_challenge_method: provider.code_challenge_method,
    backend_logout_url: provider.backendLogoutURL,
    provider_ca_files: provider.caFiles,
    use_system_trust_store: provider.useSystemTrustStore,
    oidc_issuer_url: oidc.issuerURL,
    insecure_oidc_allow_unverified_email: oidc.insecureAllowUnverifiedEmail,
    insecure_oidc_skip_issuer_verification: oidc.insecureSkipIssuerVerification,
    insecure_oidc_skip_nonce: oidc.insecureSkipNonce,
    skip_oidc_discovery: oidc.skipDiscovery,
    oidc_jwks_url: oidc.jwksURL,
    oidc_public_key_files: oidc.publicKeyFiles,
    oidc_email_claim: oidc.emailClaim,
    oidc_groups_claim: oidc.groupsClaim,
    user_id_claim: oidc.userIDClaim,
    oidc_audience_claims: oidc.audienceClaims,
    oidc_extra_audiences: oidc.extraAudiences,
    oidc_enabled_signing_algs: oidc.enabledSigningAlgs,
  }
}

function upstreamUrls({ upstreamConfig }: AlphaOptions): string[] {
  return upstreamConfig.upstreams.map(({ static: isStatic, staticCode, uri }) =>
    isStatic ? `static://${staticCode}` : uri,
  )
}

function serverKeys({ server, metricsServer }: AlphaOptions): Partial<ProxyConfig> {
  return {
    http_address: server.bindAddress,
    https_address: server.secureBindAddress,
    metrics_address: metricsServer.bindAddress,
    metrics_secure_address: metricsServer.secureBindAddress,
  }
}
