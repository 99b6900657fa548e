import type { User } from '../user.ts'
import type { Mapper } from './mapper.ts'
import { setClaim, typedValue } from './set-claim.ts'

/** `oidc-usermodel-property-mapper`: a fixed field of the user. */
export const userPropertyMapper: Mapper = {
  map(claims, config, { user }) {
    const value = userProperty(user, config['user.attribute'] ?? '')
    setClaim(claims, config, value === undefined ? undefined : typedValue([value], config))
  },
}

/** A fixed field of the user as text, by Keycloak's name for it. */
export function userProperty(user: User, name: string): string | undefined {
  const properties: Readonly<Record<string, string | undefined>> = {
    id: user.id,
    username: user.username,
    email: user.email,
    emailVerified: String(user.emailVerified),
    enabled: String(user.enabled),
    firstName: user.firstName,
    lastName: user.lastName,
    createdTimestamp: String(user.createdAt),
  }
  return Object.hasOwn(properties, name) ? properties[name] : undefined
}
