import { type JsonObject, parseJwt } from '../../tokens/jwt.ts'

/** A claim by its literal name, else by its dotted path (oauth2-proxy pkg/providers/util `getClaimFrom`). */
export function claimAt(claims: JsonObject, name: string): unknown {
  if (Object.hasOwn(claims, name)) return claims[name]
  return name.split('.').reduce<unknown>((value, step) => {
    const isObject = typeof value === 'object' && value !== null && Object.hasOwn(value, step)
    return isObject ? (value as JsonObject)[step] : undefined
  }, claims)
}

/** A claim as text: numbers and booleans as they print, objects as JSON; `undefined` where it is missing or empty. */
export function claimText(claims: JsonObject, name: string): string | undefined {
  const value = claimAt(claims, name)
  if (value === undefined || value === null || value === '') return undefined
  return asText(value)
}

/** A claim as a list: one text is a list of one, objects become JSON; `undefined` where it is missing. */
export function claimTexts(claims: JsonObject, name: string): string[] | undefined {
  const value = claimAt(claims, name)
  if (value === undefined || value === null) return undefined
  return (Array.isArray(value) ? value : [value]).map(asText)
}

function asText(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value)
}

/**
 * Keycloak's roles as groups (providers/keycloak_oidc.go): `role:<realm role>` and `role:<client>:<role>`, read from an
 * access token that came from the token endpoint or has been verified.
 */
export function keycloakRoles(accessToken: string | undefined): string[] {
  const jwt = accessToken === undefined ? undefined : parseJwt(accessToken)
  if (!jwt || 'malformed' in jwt) return []
  const realmRoles = claimTexts(jwt.claims, 'realm_access.roles') ?? []
  const clients = Object.keys((jwt.claims['resource_access'] ?? {}) as JsonObject)
  const clientRoles = clients.flatMap((client) => {
    const access = (jwt.claims['resource_access'] as JsonObject)[client] // an own key of it, listed just above
    const roles = claimTexts({ access }, 'access.roles') ?? []
    return roles.map((role) => `role:${client}:${role}`)
  })
  return [...realmRoles.map((role) => `role:${role}`), ...clientRoles]
}
