import type { Kysely, Transaction } from 'kysely'
import type { Random } from '../../kit/random.ts'
import type { RealmRepresentation } from '../representation.ts'
import type { RealmTables } from '../tables.ts'
import { completeRealm } from './complete-realm.ts'
import { freeId, type ImportInto } from './import-into.ts'
import { reconcileGroups } from './reconcile-groups.ts'
import { reconcileRoles } from './reconcile-roles.ts'

/**
 * Brings the database in line with a realm's file: settings, client scopes, clients, roles and groups become what the
 * file says, those it no longer names go. Users are not touched. Doing it again changes nothing. Returns the realm's id.
 */
export async function importRealm(
  realm: RealmRepresentation,
  { database, random }: { database: Kysely<RealmTables>; random: Random },
): Promise<string> {
  return database.transaction().execute(async (transaction) => {
    const complete = completeRealm(realm)
    const realmId = await saveSettings(realm, complete.defaultRoleName, { transaction, random })
    const into = { transaction, random, realmId }
    await reconcileNamed('realm_client_scopes', 'name', complete.scopes, { ...into, nameOf: ({ name }) => name })
    await reconcileNamed('realm_clients', 'client_id', complete.clients, {
      ...into,
      nameOf: ({ clientId }) => clientId,
    })
    await reconcileRoles(complete, into)
    await reconcileGroups(realm.groups, into)
    return realmId
  })
}

async function saveSettings(
  realm: RealmRepresentation,
  defaultRoleName: string,
  { transaction, random }: { transaction: Transaction<RealmTables>; random: Random },
): Promise<string> {
  const { users: _users, clients: _clients, clientScopes: _scopes, groups: _groups, roles: _roles, ...settings } = realm
  const json = JSON.stringify({ ...settings, defaultRoleName })
  const id = await freeId('realms', realm.id, { transaction, random })
  const row = { id, name: realm.realm, json_settings: json }
  const saved = await transaction
    .insertInto('realms')
    .values(row)
    .onConflict((conflict) => conflict.column('name').doUpdateSet({ json_settings: json }))
    .returning('id')
    .executeTakeFirstOrThrow()
  return saved.id
}

/** Makes a table of representations hold exactly these, by name; rows keep their ids. */
async function reconcileNamed<Item extends { readonly id?: string | undefined }>(
  table: 'realm_clients' | 'realm_client_scopes',
  nameColumn: 'client_id' | 'name',
  items: readonly Item[],
  { transaction, random, realmId, nameOf }: ImportInto & { nameOf: (item: Item) => string },
): Promise<void> {
  // Both tables have the same columns but for the name's; Kysely cannot type a choice of table.
  const typedTable = table as 'realm_clients'
  const typedColumn = nameColumn as 'client_id'
  for (const item of items) {
    const { id, ...rest } = item
    const json = JSON.stringify(rest)
    await transaction
      .insertInto(typedTable)
      .values({
        id: await freeId(table, id, { transaction, random }),
        realm_id: realmId,
        [typedColumn]: nameOf(item),
        json_representation: json,
      } as RealmTables['realm_clients'])
      .onConflict((conflict) => conflict.columns(['realm_id', typedColumn]).doUpdateSet({ json_representation: json }))
      .execute()
  }
  await transaction
    .deleteFrom(typedTable)
    .where('realm_id', '=', realmId)
    .where(typedColumn, 'not in', items.map(nameOf))
    .execute()
}
