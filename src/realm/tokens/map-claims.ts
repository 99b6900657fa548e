import { assertNever } from '../../kit/errors.ts'
import { mappers } from '../mappers/index.ts'
import type { Claims, MapperConfig, MapperInput, TokenRoles } from '../mappers/mapper.ts'
import type { Client, RealmModel, Role } from '../model.ts'
import type { ProtocolMapperRepresentation } from '../representation.ts'
import { rolesInScope, rolesOfUser } from '../roles.ts'
import type { User } from '../user.ts'

/** What a claims set is made for. */
export type ClaimsTarget = 'access' | 'id' | 'userinfo' | 'introspection' | 'lightweight'

/** Whom claims are about, and to whom they are told. */
export interface ClaimsSubject {
  readonly model: RealmModel
  readonly client: Client
  readonly user: User
  /** The client scopes that apply. */
  readonly scopeNames: readonly string[]
  readonly notes: Readonly<Record<string, unknown>>
  readonly acr: string | undefined
  readonly nonce: string | undefined
}

/** Runs the mappers of the client and of its granted scopes over `claims`, for one kind of token. */
export function mapClaims(claims: Claims, target: ClaimsTarget, subject: ClaimsSubject): void {
  const applied = mappersOf(subject)
  const roles = tokenRoles(subject)
  for (const { type, config } of applied) mappers[type]?.mapRoles?.(roles, config)
  const input: MapperInput = { ...subject, roles }
  for (const { type, config } of applied) {
    if (isFor(target, type, config)) mappers[type]?.map?.(claims, config, input)
  }
}

function mappersOf({ model, client, scopeNames }: ClaimsSubject): { type: string; config: MapperConfig }[] {
  const ofScopes = scopeNames.flatMap((name) => model.scopes.get(name)?.protocolMappers ?? [])
  return [...ofScopes, ...client.protocolMappers].map(({ protocolMapper, config }: ProtocolMapperRepresentation) => ({
    type: protocolMapper,
    config,
  }))
}

/** Reads a mapper's switches; those that are not set fall back as Keycloak lets them (OIDCAttributeMapperHelper). */
function isFor(target: ClaimsTarget, type: string, config: MapperConfig): boolean {
  const isSet = (key: string, fallback: string | undefined) => (config[key] ?? fallback) === 'true'
  const byDefault = mappers[type]?.isInAccessTokenByDefault === true ? 'true' : undefined
  switch (target) {
    case 'access':
      return isSet('access.token.claim', byDefault)
    case 'introspection':
      return isSet('introspection.token.claim', config['access.token.claim'] ?? byDefault)
    case 'id':
      return isSet('id.token.claim', undefined)
    case 'userinfo':
      return isSet('userinfo.token.claim', config['id.token.claim'])
    case 'lightweight':
      return isSet('lightweight.claim', undefined)
    default:
      return assertNever(target)
  }
}

function tokenRoles({ model, client, user, scopeNames }: ClaimsSubject): TokenRoles {
  const found: readonly Role[] = rolesInScope(model, client, { roles: rolesOfUser(model, user), scopeNames })
  const clients = new Map<string, Set<string>>()
  for (const { clientId, name } of found) {
    if (clientId === undefined) continue
    clients.set(clientId, (clients.get(clientId) ?? new Set()).add(name))
  }
  return { realm: new Set(found.flatMap(({ clientId, name }) => (clientId === undefined ? [name] : []))), clients }
}

/** The order Keycloak emits claims in; those it does not name follow as they were mapped. */
const order = [
  'exp', 'iat', 'auth_time', 'jti', 'iss', 'aud', 'sub', 'typ', 'azp', 'nonce', 'sid', 'at_hash', 'c_hash', 'acr',
  'allowed-origins', 'realm_access', 'resource_access', 'scope', 'clientHost', 'address', 'email_verified', 'name', 'groups',
  'preferred_username', 'given_name', 'locale', 'family_name', 'clientAddress', 'client_id', 'email',
] // biome-ignore format: a list of names

/** The same claims in Keycloak's order; absent ones stay absent. */
export function orderClaims(claims: Claims): Claims {
  const known = order.filter((name) => claims[name] !== undefined)
  const others = Object.keys(claims).filter((name) => !order.includes(name))
  return Object.fromEntries([...known, ...others].map((name) => [name, claims[name]]))
}
