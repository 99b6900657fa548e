import type { ProviderOptions } from '../../alpha/provider-options.ts'
import { keycloakRoles } from '../claims.ts'
import { bearerHeaders, type ProviderKind } from '../kind.ts'
import { withGroupsScope } from './oidc.ts'

/** Keycloak, whose roles become groups (oauth2-proxy providers/keycloak_oidc.go). */
export const keycloakOidc: ProviderKind = {
  title: 'Keycloak',
  about: 'Keycloak; its roles are the groups `role:<realm role>` and `role:<client>:<role>`',
  protocol: 'oidc',
  keys: ['allowed_roles'],
  settle: withGroupsScope,
  tokenHeaders: bearerHeaders,
  identify(session) {
    const groups = (session.groups ?? []).filter((group) => !group.startsWith('role:'))
    const all = [...groups, ...keycloakRoles(session.accessToken)]
    return all.length === 0 ? session : { ...session, groups: all }
  },
  allowedGroups({ allowedGroups, keycloakConfig }: ProviderOptions) {
    return [...allowedGroups, ...keycloakConfig.roles.map((role) => `role:${role}`)]
  },
}
