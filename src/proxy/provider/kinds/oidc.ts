import type { ProviderOptions } from '../../alpha/provider-options.ts'
import { bearerHeaders, type ProviderKind } from '../kind.ts'

/** Any OpenID provider (oauth2-proxy providers/oidc.go). */
export const oidc: ProviderKind = {
  title: 'OpenID Connect',
  about: 'any OpenID provider: Dex, Keycloak, Okta, Auth0, …',
  protocol: 'oidc',
  settle: withGroupsScope,
  tokenHeaders: bearerHeaders,
}

/** Asks for the `groups` scope where groups are needed and no scope is configured. */
export function withGroupsScope(options: ProviderOptions): ProviderOptions {
  const scope = options.allowedGroups.length > 0 ? 'openid email profile groups' : 'openid email profile'
  return { ...options, scope: options.scope || scope }
}
