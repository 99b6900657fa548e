import type { Mapper } from './mapper.ts'
import { setClaim } from './set-claim.ts'

/** `oidc-usermodel-realm-role-mapper`: the names of the user's realm roles. */
export const realmRoles: Mapper = {
  map(claims, config, { roles }) {
    const prefix = config['usermodel.realmRoleMapping.rolePrefix'] ?? ''
    const names = [...roles.realm].map((name) => `${prefix}${name}`)
    setClaim(claims, config, config['multivalued'] === 'false' ? names.join(', ') : names)
  },
}
