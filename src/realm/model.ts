import type { Kysely } from 'kysely'
import type { CompleteClient } from './import/complete-realm.ts'
import type { ClientScopeRepresentation, RealmRepresentation } from './representation.ts'
import type { RealmTables } from './tables.ts'

/** A realm's own settings: its representation without the lists that have tables of their own. */
export type RealmSettings = Omit<
  RealmRepresentation,
  'users' | 'clients' | 'clientScopes' | 'groups' | 'roles' | 'federatedUsers'
> & { readonly defaultRoleName: string }

/** A client as the endpoints see it; `id` is its row's. */
export type Client = CompleteClient & { readonly id: string }

/** A realm or client role. */
export interface Role {
  readonly id: string
  readonly name: string
  /** The `clientId` it belongs to; absent for a realm role. */
  readonly clientId?: string
  /** Ids of the roles it contains. */
  readonly composites: readonly string[]
}

/** A group: `path` is `/team/sub`. */
export interface Group {
  readonly id: string
  readonly path: string
  readonly parentId: string | undefined
  readonly attributes: Readonly<Record<string, readonly string[]>>
  readonly roleIds: readonly string[]
}

/** Everything of a realm that is small and read at every request: held in memory, loaded when the realm opens. */
export interface RealmModel {
  readonly id: string
  readonly name: string
  readonly settings: RealmSettings
  /** By `clientId`. */
  readonly clients: ReadonlyMap<string, Client>
  /** By name. */
  readonly scopes: ReadonlyMap<string, ClientScopeRepresentation>
  /** By id. */
  readonly roles: ReadonlyMap<string, Role>
  /** By id. */
  readonly groups: ReadonlyMap<string, Group>
}

/** Reads a realm from the database; `undefined` where there is none of that name. */
export async function loadRealmModel(database: Kysely<RealmTables>, name: string): Promise<RealmModel | undefined> {
  const realm = await database.selectFrom('realms').selectAll().where('name', '=', name).executeTakeFirst()
  if (!realm) return undefined
  const ofRealm = <Table extends 'realm_clients' | 'realm_client_scopes'>(table: Table) =>
    database
      .selectFrom(table as 'realm_clients')
      .selectAll()
      .where('realm_id', '=', realm.id)
      .execute()
  const clientRows = await ofRealm('realm_clients')
  const scopeRows = await ofRealm('realm_client_scopes')
  // The JSON in these columns was written by the import, from values that had been parsed.
  const clients = clientRows.map((row) => ({ ...(JSON.parse(row.json_representation) as CompleteClient), id: row.id }))
  const scopes = scopeRows.map((row) => JSON.parse(row.json_representation) as ClientScopeRepresentation)
  const clientIds = new Map(clients.map((client) => [client.id, client.clientId]))
  return {
    id: realm.id,
    name: realm.name,
    settings: JSON.parse(realm.json_settings) as RealmSettings,
    clients: new Map(clients.map((client) => [client.clientId, client])),
    scopes: new Map(scopes.map((scope) => [scope.name, scope])),
    roles: await loadRoles(database, realm.id, clientIds),
    groups: await loadGroups(database, realm.id),
  }
}

async function loadRoles(database: Kysely<RealmTables>, realmId: string, clientIds: ReadonlyMap<string, string>) {
  const rows = await database.selectFrom('realm_roles').selectAll().where('realm_id', '=', realmId).execute()
  const links = await database
    .selectFrom('realm_role_composites')
    .innerJoin('realm_roles', 'realm_roles.id', 'realm_role_composites.parent_id')
    .select(['parent_id', 'child_id'])
    .where('realm_id', '=', realmId)
    .execute()
  const children = groupBy(
    links,
    ({ parent_id }) => parent_id,
    ({ child_id }) => child_id,
  )
  return new Map<string, Role>(
    rows.map(({ id, name, client_id }) => {
      const clientId = clientIds.get(client_id)
      return [id, { id, name, composites: children.get(id) ?? [], ...(clientId === undefined ? {} : { clientId }) }]
    }),
  )
}

async function loadGroups(database: Kysely<RealmTables>, realmId: string) {
  const rows = await database.selectFrom('realm_groups').selectAll().where('realm_id', '=', realmId).execute()
  const links = await database
    .selectFrom('realm_group_roles')
    .innerJoin('realm_groups', 'realm_groups.id', 'realm_group_roles.group_id')
    .select(['group_id', 'role_id'])
    .where('realm_id', '=', realmId)
    .execute()
  const roles = groupBy(
    links,
    ({ group_id }) => group_id,
    ({ role_id }) => role_id,
  )
  return new Map<string, Group>(
    rows.map(({ id, path, parent_id, json_attributes }) => [
      id,
      {
        id,
        path,
        parentId: parent_id ?? undefined,
        attributes: JSON.parse(json_attributes) as Group['attributes'],
        roleIds: roles.get(id) ?? [],
      },
    ]),
  )
}

function groupBy<Row, Value>(rows: readonly Row[], keyOf: (row: Row) => string, valueIn: (row: Row) => Value) {
  const grouped = new Map<string, Value[]>()
  for (const row of rows) {
    const list = grouped.get(keyOf(row))
    if (list) list.push(valueIn(row))
    else grouped.set(keyOf(row), [valueIn(row)])
  }
  return grouped
}
