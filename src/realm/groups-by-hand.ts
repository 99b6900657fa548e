import type { Kysely } from 'kysely'
import { fail } from '../kit/errors.ts'
import { type Random, randomUuid } from '../kit/random.ts'
import { removeGroup } from './import/reconcile-groups.ts'
import type { RealmModel } from './model.ts'
import type { RealmTables } from './tables.ts'

const longestPath = 500

/**
 * Makes a group and those above it that are missing. A running realm knows it from its next start on.
 * @throws GatehouseError `group_path`, `group_exists`
 */
export async function addGroupByHand(
  written: string,
  { database, model, random }: { database: Kysely<RealmTables>; model: RealmModel; random: Random },
): Promise<void> {
  const path = groupPath(written)
  const byPath = new Map([...model.groups.values()].map((group) => [group.path, group.id]))
  if (byPath.has(path)) fail('group_exists', `there is a group \`${path}\` already`)
  const names = path.split('/').slice(1)
  await database.transaction().execute(async (transaction) => {
    let parent_id: string | null = null
    for (const depth of names.keys()) {
      const at = `/${names.slice(0, depth + 1).join('/')}`
      const id: string = byPath.get(at) ?? randomUuid(random)
      const row = { id, realm_id: model.id, parent_id, path: at, json_attributes: '{}', by_hand: 1 }
      if (!byPath.has(at)) await transaction.insertInto('realm_groups').values(row).execute()
      parent_id = id
    }
  })
}

/**
 * Removes a group that was made by hand, with its memberships.
 * @throws GatehouseError `unknown_group`, or `group_of_file` for one the realm's file names
 */
export async function removeGroupByHand(
  written: string,
  { database, model }: { database: Kysely<RealmTables>; model: RealmModel },
): Promise<void> {
  const path = groupPath(written)
  await database.transaction().execute(async (transaction) => {
    const group = await transaction
      .selectFrom('realm_groups')
      .selectAll()
      .where('realm_id', '=', model.id)
      .where('path', '=', path)
      .executeTakeFirst()
    if (!group) return fail('unknown_group', `there is no group \`${path}\``)
    if (group.by_hand === 0) return fail('group_of_file', `the realm’s file names \`${path}\`; take it out there`)
    const below = await transaction
      .selectFrom('realm_groups')
      .select('path')
      .where('parent_id', '=', group.id)
      .executeTakeFirst()
    if (below) fail('group_path', `\`${below.path}\` is below it; remove that first`)
    await removeGroup(group.id, transaction)
  })
}

/** `team/ml` → `/team/ml` */
function groupPath(written: string): string {
  const path = written.startsWith('/') ? written : `/${written}`
  const isPath = path.length <= longestPath && /^(?:\/[^/,\s](?:[^/,\p{Cc}]*[^/,\s])?)+$/u.test(path)
  return isPath ? path : fail('group_path', `\`${written}\` is no group’s path; write for example team/ml`)
}
