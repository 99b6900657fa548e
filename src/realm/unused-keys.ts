import { type DocumentPath, formatPath } from '../kit/problems.ts'
import { mappers } from './mappers/index.ts'
import type {
  ClientRepresentation,
  GroupRepresentation,
  ProtocolMapperRepresentation,
  RealmRepresentation,
  UserRepresentation,
} from './representation.ts'
import {
  unusedClientFields,
  unusedCredentialFields,
  unusedGroupFields,
  unusedRealmFields,
  unusedRoleFields,
  unusedUserFields,
} from './representation-fields.ts'

/** A key of a realm file that is kept but has no effect. */
export interface UnusedKey {
  readonly path: DocumentPath
  /** `clients[2].consentRequired` */
  readonly name: string
}

/** Fields of an export that say what the rest of it says already, or nothing: not worth a line to the operator. */
const redundant: ReadonlySet<string> = new Set([
  ...['path', 'parentId', 'subGroupCount', 'access', 'composite', 'clientRole', 'containerId', 'keycloakVersion'],
  ...['self', 'totp', 'disableableCredentialTypes', 'scopeParamRequired', 'origin', 'nodeReRegistrationTimeout'],
])

/** Client attributes that ask for something this room does not do. */
const unusedAttributes = [
  'frontchannel.logout.url',
  'oauth2.device.authorization.grant.enabled',
  'oidc.ciba.grant.enabled',
  'standard.token.exchange.enabled',
  'require.pushed.authorization.requests',
  'dpop.bound.access.tokens',
  'tls.client.certificate.bound.access.tokens',
  'request.object.required',
  'user.info.response.signature.alg',
  'access.token.signed.response.alg',
  'id.token.signed.response.alg',
  'id.token.encrypted.response.alg',
]

/** The keys of a realm file that are kept but have no effect, so that the caller can say so. */
export function unusedRealmKeys(realm: RealmRepresentation): UnusedKey[] {
  return [
    ...unusedFields(realm, unusedRealmFields, []),
    ...unusedInGroups(realm.groups, ['groups']),
    ...realm.roles.realm.flatMap((role, at) => unusedFields(role, unusedRoleFields, ['roles', 'realm', at])),
    ...realm.clients.flatMap((client, at) => unusedInClient(client, ['clients', at])),
    ...realm.clientScopes.flatMap(({ protocol, protocolMappers }, at) =>
      protocol === 'saml' ? [] : unusedMappers(protocolMappers, ['clientScopes', at, 'protocolMappers']),
    ),
    ...realm.users.flatMap((user, at) => unusedInUser(user, ['users', at])),
  ]
}

function unusedInGroups(groups: readonly GroupRepresentation[], base: DocumentPath): UnusedKey[] {
  return groups.flatMap((group, at) => [
    ...unusedFields(group, unusedGroupFields, [...base, at]),
    ...unusedInGroups(group.subGroups, [...base, at, 'subGroups']),
  ])
}

function unusedInClient(client: ClientRepresentation, base: DocumentPath): UnusedKey[] {
  if (client.protocol !== 'openid-connect') return [key([...base, 'protocol'])]
  const authenticator = client.clientAuthenticatorType === 'client-secret' ? undefined : client.clientAuthenticatorType
  return [
    ...unusedFields({ ...client, clientAuthenticatorType: authenticator }, unusedClientFields, base),
    ...unusedFields(client.attributes, unusedAttributes, [...base, 'attributes']),
    ...unusedMappers(client.protocolMappers, [...base, 'protocolMappers']),
  ]
}

function unusedMappers(list: readonly ProtocolMapperRepresentation[], base: DocumentPath): UnusedKey[] {
  return list.flatMap(({ protocolMapper }, at) =>
    Object.hasOwn(mappers, protocolMapper) ? [] : [key([...base, at, 'protocolMapper'])],
  )
}

/** A second factor is kept, and asked for by nobody: its user is not let in (see `login/required-actions.ts`). */
function unusedInUser(user: UserRepresentation, base: DocumentPath): UnusedKey[] {
  return [
    ...unusedFields(user, unusedUserFields, base),
    ...user.credentials.flatMap((credential, at) => [
      ...(credential.type === 'password' ? [] : [key([...base, 'credentials', at, 'type'])]),
      ...unusedFields(credential, unusedCredentialFields, [...base, 'credentials', at]),
    ]),
  ]
}

function unusedFields(value: object, fields: readonly string[], base: DocumentPath): UnusedKey[] {
  const values = value as Readonly<Record<string, unknown>>
  return fields
    .filter((field) => !redundant.has(field) && !asksForNothing(values[field]))
    .map((field) => key([...base, field]))
}

function key(path: DocumentPath): UnusedKey {
  return { path, name: formatPath(path) }
}

/** Absent, or at a value that asks for nothing. */
function asksForNothing(value: unknown): boolean {
  if (value === undefined || value === null || value === false || value === '' || value === 0) return true
  if (value === 'false' || value === 'any') return true
  return typeof value === 'object' && Object.keys(value).length === 0
}
