import type { Mapper } from './mapper.ts'
import { setClaim } from './set-claim.ts'

/**
 * `oidc-usermodel-client-role-mapper`: the names of the user's roles of one client, or of each; `${client_id}` in
 * `claim.name` stands for whose they are.
 */
export const clientRoles: Mapper = {
  map(claims, config, { roles }) {
    const only = config['usermodel.clientRoleMapping.clientId']
    const prefix = config['usermodel.clientRoleMapping.rolePrefix'] ?? ''
    for (const [clientId, names] of roles.clients) {
      if (only !== undefined && only !== '' && only !== clientId) continue
      // biome-ignore lint/suspicious/noTemplateCurlyInString: Keycloak's placeholder
      const claimName = (config['claim.name'] ?? '').replaceAll('${client_id}', () => clientId.replaceAll('.', '\\.'))
      const prefixed = [...names].map((name) => `${prefix}${name}`)
      setClaim(
        claims,
        { ...config, 'claim.name': claimName },
        config['multivalued'] === 'false' ? prefixed.join(', ') : prefixed,
      )
    }
  },
}
