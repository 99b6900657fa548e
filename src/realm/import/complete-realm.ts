import { builtinScopes, defaultScopeNames, optionalScopeNames } from '../builtin-scopes.ts'
import {
  type ClientRepresentation,
  type ClientScopeRepresentation,
  clientSchema,
  type GroupRepresentation,
  type RealmRepresentation,
  type RoleRepresentation,
} from '../representation.ts'

const accountRoles: readonly RoleRepresentation[] = [
  { name: 'delete-account' },
  { name: 'manage-account', composites: { client: { account: ['manage-account-links'] } } },
  { name: 'manage-account-links' },
  { name: 'manage-consent', composites: { client: { account: ['view-consent'] } } },
  { name: 'view-applications' },
  { name: 'view-consent' },
  { name: 'view-groups' },
  { name: 'view-profile' },
]

/** A client with the scopes it really has. */
export type CompleteClient = ClientRepresentation & {
  readonly defaultClientScopes: string[]
  readonly optionalClientScopes: string[]
}

/** The parts of a realm that are brought in line at each start, nothing left to default. */
export interface CompleteRealm {
  readonly scopes: readonly ClientScopeRepresentation[]
  readonly clients: readonly CompleteClient[]
  readonly realmRoles: readonly RoleRepresentation[]
  readonly clientRoles: Readonly<Record<string, readonly RoleRepresentation[]>>
  /** The realm role every user has. */
  readonly defaultRoleName: string
}

/** Adds what every Keycloak realm has and a file need not say: scopes, the `account` client and its roles, default roles. */
export function completeRealm(realm: RealmRepresentation): CompleteRealm {
  const scopes = withMissing(realm.clientScopes, builtinScopes)
  const clients = withMissing(
    realm.clients,
    [clientSchema.parse({ clientId: 'account', name: 'Account', publicClient: true, standardFlowEnabled: false })],
    ({ clientId }) => clientId,
  )
  const scopeNames = new Set(scopes.map(({ name }) => name))
  const defaultRole = completeDefaultRole(realm)
  const builtinRoles = [defaultRole, { name: 'offline_access' }, { name: 'uma_authorization' }]
  const clientRoles = { ...realm.roles.client, account: withMissing(realm.roles.client['account'] ?? [], accountRoles) }
  return {
    scopes,
    clients: clients.map((client) => completeClient(client, realm, scopeNames)),
    realmRoles: withMissing(withMissing(realm.roles.realm, builtinRoles), mentionedRoles(realm)),
    clientRoles,
    defaultRoleName: defaultRole.name,
  }
}

/** Realm roles that a user or group has but nothing declares: Keycloak's import makes them (RepresentationToModel.createRoleMappings). */
function mentionedRoles(realm: RealmRepresentation): RoleRepresentation[] {
  const ofGroups = (groups: readonly GroupRepresentation[]): string[] =>
    groups.flatMap((group) => [...group.realmRoles, ...ofGroups(group.subGroups)])
  const names = [...realm.users.flatMap(({ realmRoles }) => realmRoles ?? []), ...ofGroups(realm.groups)]
  return [...new Set(names)].map((name) => ({ name }))
}

function completeDefaultRole(realm: RealmRepresentation): RoleRepresentation {
  const name = realm.defaultRole?.name ?? `default-roles-${realm.realm.toLowerCase()}`
  const composites = {
    realm: ['offline_access', 'uma_authorization', ...(realm.defaultRoles ?? [])],
    client: { account: ['manage-account', 'view-profile'] },
  }
  return { name, composites: realm.defaultRole?.composites ?? composites }
}

function completeClient(
  client: ClientRepresentation,
  realm: RealmRepresentation,
  scopeNames: ReadonlySet<string>,
): CompleteClient {
  const isServiceAccount = client.serviceAccountsEnabled
  const standard = client.defaultClientScopes ?? realm.defaultDefaultClientScopes ?? [...defaultScopeNames]
  const optional = client.optionalClientScopes ?? realm.defaultOptionalClientScopes ?? [...optionalScopeNames]
  const isKnownGroups = realm.clientScopes.some(({ name }) => name === 'groups')
  // A realm file written for Keycloak knows no scope `groups`: asking for it works here all the same.
  const withGroups = isKnownGroups || [...standard, ...optional].includes('groups') ? optional : [...optional, 'groups']
  const known = (names: readonly string[]) => [...new Set(names)].filter((name) => scopeNames.has(name))
  return {
    ...client,
    defaultClientScopes: known(isServiceAccount ? [...standard, 'service_account'] : standard),
    optionalClientScopes: known(withGroups),
  }
}

function withMissing<Item extends object>(
  given: readonly Item[],
  builtin: readonly Item[],
  nameOf: (item: Item) => string = (item) => (item as { name?: string }).name ?? '',
): Item[] {
  const names = new Set(given.map(nameOf))
  return [...given, ...builtin.filter((item) => !names.has(nameOf(item)))]
}
