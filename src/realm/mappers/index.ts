import { address } from './address.ts'
import { allowedOriginsMapper } from './allowed-origins.ts'
import { audience, audienceResolve } from './audience.ts'
import { clientRoles } from './client-roles.ts'
import { fullName } from './full-name.ts'
import { groupMembership } from './group-membership.ts'
import type { Mapper } from './mapper.ts'
import { realmRoles } from './realm-roles.ts'
import { hardcodedRole, roleName } from './role-changes.ts'
import { acr, hardcodedClaim, nonce, sessionNote, sub } from './small-mappers.ts'
import { userAttribute } from './user-attribute.ts'
import { userPropertyMapper } from './user-property.ts'

/** The types of protocol mappers, by Keycloak's ids for them. */
export const mappers: Readonly<Record<string, Mapper>> = {
  'oidc-acr-mapper': acr,
  'oidc-address-mapper': address,
  'oidc-allowed-origins-mapper': allowedOriginsMapper,
  'oidc-audience-mapper': audience,
  'oidc-audience-resolve-mapper': audienceResolve,
  'oidc-full-name-mapper': fullName,
  'oidc-group-membership-mapper': groupMembership,
  'oidc-hardcoded-claim-mapper': hardcodedClaim,
  'oidc-hardcoded-role-mapper': hardcodedRole,
  'oidc-nonce-backwards-compatible-mapper': nonce,
  'oidc-role-name-mapper': roleName,
  'oidc-sub-mapper': sub,
  'oidc-usermodel-attribute-mapper': userAttribute,
  'oidc-usermodel-client-role-mapper': clientRoles,
  'oidc-usermodel-property-mapper': userPropertyMapper,
  'oidc-usermodel-realm-role-mapper': realmRoles,
  'oidc-usersessionmodel-note-mapper': sessionNote,
}
