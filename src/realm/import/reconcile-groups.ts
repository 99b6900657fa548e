import type { Kysely } from 'kysely'
import type { GroupRepresentation } from '../representation.ts'
import type { RealmTables } from '../tables.ts'
import { freeId, type ImportInto } from './import-into.ts'
import { loadRoleIds, roleNames } from './reconcile-roles.ts'

/** Makes the realm's groups what the file says. A group keeps its id by its path; one no longer named goes, with its memberships, unless it was made by hand. */
export async function reconcileGroups(groups: readonly GroupRepresentation[], into: ImportInto): Promise<void> {
  const { transaction, realmId } = into
  const idOf = await loadRoleIds(into)
  const paths = new Set<string>()

  const save = async (group: GroupRepresentation, parentPath: string, parentId: string | null): Promise<void> => {
    const path = `${parentPath}/${group.name}`
    paths.add(path)
    const id = await saveGroup(group, { path, parentId, into })
    const roles = roleNames(group.realmRoles, group.clientRoles).flatMap((name) => idOf(name) ?? [])
    await transaction.deleteFrom('realm_group_roles').where('group_id', '=', id).execute()
    for (const role_id of new Set(roles)) {
      await transaction.insertInto('realm_group_roles').values({ group_id: id, role_id }).execute()
    }
    for (const child of group.subGroups) await save(child, path, id)
  }

  for (const group of groups) await save(group, '', null)
  await removeOtherGroups(paths, { transaction, realmId })
}

async function saveGroup(
  group: GroupRepresentation,
  { path, parentId, into }: { path: string; parentId: string | null; into: ImportInto },
): Promise<string> {
  const { transaction, realmId } = into
  const json_attributes = JSON.stringify(group.attributes)
  const saved = await transaction
    .insertInto('realm_groups')
    .values({
      id: await freeId('realm_groups', group.id, into),
      realm_id: realmId,
      parent_id: parentId,
      path,
      json_attributes,
    })
    .onConflict((conflict) =>
      conflict.columns(['realm_id', 'path']).doUpdateSet({ json_attributes, parent_id: parentId, by_hand: 0 }),
    )
    .returning('id')
    .executeTakeFirstOrThrow()
  return saved.id
}

async function removeOtherGroups(
  kept: ReadonlySet<string>,
  { transaction, realmId }: Pick<ImportInto, 'transaction' | 'realmId'>,
): Promise<void> {
  const rows = await transaction
    .selectFrom('realm_groups')
    .select(['id', 'path'])
    .where('realm_id', '=', realmId)
    .where('by_hand', '=', 0)
    .execute()
  for (const { id } of rows.filter(({ path }) => !kept.has(path))) await removeGroup(id, transaction)
}

/** Removes a group with its memberships; groups below it stay. */
export async function removeGroup(id: string, database: Kysely<RealmTables>): Promise<void> {
  await database.deleteFrom('realm_groups').where('id', '=', id).execute()
  await database.deleteFrom('realm_group_roles').where('group_id', '=', id).execute()
  await database.deleteFrom('realm_user_groups').where('group_id', '=', id).execute()
}
