import { GatehouseError } from '../../../kit/errors.ts'
import { textAt, textsAt } from '../api.ts'
import { bearerHeaders, type ProviderKind } from '../kind.ts'

/** Keycloak by its userinfo alone (oauth2-proxy providers/keycloak.go). */
export const keycloak: ProviderKind = {
  title: 'Keycloak',
  about: 'Keycloak without ID tokens; deprecated, use `keycloak-oidc`',
  protocol: 'oauth2',
  keys: ['keycloak_groups'],
  defaults: {
    loginURL: 'https://keycloak.org/oauth/authorize',
    redeemURL: 'https://keycloak.org/oauth/token',
    validateURL: 'https://keycloak.org/api/v3/user',
    scope: 'api',
  },
  tokenHeaders: bearerHeaders,
  allowedGroups: ({ keycloakConfig }) => keycloakConfig.groups,
  async enrich(session, { options, api }) {
    const profile = await api.json(options.profileURL || options.validateURL, {
      headers: bearerHeaders(session.accessToken ?? ''),
    })
    const email = textAt(profile, 'email')
    if (email === undefined) throw new GatehouseError('no_email', 'the userinfo has no e-mail address')
    const preferredUsername = textAt(profile, 'preferred_username')
    const user = textAt(profile, 'user') ?? preferredUsername
    const groups = textsAt(profile, 'groups')
    return {
      ...session,
      email,
      ...(groups.length === 0 ? {} : { groups }),
      ...(preferredUsername === undefined ? {} : { preferredUsername }),
      ...(user === undefined ? {} : { user }),
    }
  },
}
