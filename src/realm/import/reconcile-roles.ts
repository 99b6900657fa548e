import type { RoleRepresentation } from '../representation.ts'
import type { CompleteRealm } from './complete-realm.ts'
import { freeId, type ImportInto } from './import-into.ts'

/** A role's name in its place: of the realm (`clientId` empty) or of a client. */
export interface RoleName {
  readonly clientId: string
  readonly name: string
}

const keyOf = ({ clientId, name }: RoleName) => `${clientId}\0${name}`

/** Makes realm and client roles, and what they contain, what the file says. */
export async function reconcileRoles(realm: CompleteRealm, into: ImportInto): Promise<void> {
  const { transaction, realmId } = into
  const clientRowIds = await loadClientRowIds(into)
  const declared = [
    ...realm.realmRoles.map((role) => ({ role, clientId: '' })),
    ...Object.entries(realm.clientRoles).flatMap(([clientId, roles]) => roles.map((role) => ({ role, clientId }))),
    ...realm.clients.flatMap(({ clientId, defaultRoles }) =>
      (defaultRoles ?? []).map((name) => ({ role: { name } as RoleRepresentation, clientId })),
    ),
  ].filter(({ clientId }) => clientId === '' || clientRowIds.has(clientId))

  for (const { role, clientId } of declared) {
    const description = role.description ?? null
    await transaction
      .insertInto('realm_roles')
      .values({
        id: await freeId('realm_roles', role.id, into),
        realm_id: realmId,
        client_id: clientRowIds.get(clientId) ?? '',
        name: role.name,
        description,
      })
      .onConflict((conflict) => conflict.columns(['realm_id', 'client_id', 'name']).doUpdateSet({ description }))
      .execute()
  }
  const kept = new Set(declared.map(({ role, clientId }) => keyOf({ clientId, name: role.name })))
  await removeOtherRoles(kept, into)
  await reconcileComposites(declared, into)
}

/** Ids of the realm's roles by their name; the function answers `undefined` for a role there is none of. */
export async function loadRoleIds(into: Pick<ImportInto, 'transaction' | 'realmId'>) {
  const clientIds = new Map([...(await loadClientRowIds(into))].map(([clientId, rowId]) => [rowId, clientId]))
  const rows = await into.transaction
    .selectFrom('realm_roles')
    .select(['id', 'client_id', 'name'])
    .where('realm_id', '=', into.realmId)
    .execute()
  const ids = new Map(
    rows.map((row) => [keyOf({ clientId: clientIds.get(row.client_id) ?? '', name: row.name }), row.id]),
  )
  return (name: RoleName): string | undefined => ids.get(keyOf(name))
}

/** Flattens `realmRoles` and `clientRoles` of a group, user or composite into role names. */
export function roleNames(
  realmRoles: readonly string[] | undefined,
  clientRoles: Readonly<Record<string, readonly string[]>> | undefined,
): RoleName[] {
  return [
    ...(realmRoles ?? []).map((name) => ({ clientId: '', name })),
    ...Object.entries(clientRoles ?? {}).flatMap(([clientId, names]) => names.map((name) => ({ clientId, name }))),
  ]
}

async function loadClientRowIds({ transaction, realmId }: Pick<ImportInto, 'transaction' | 'realmId'>) {
  const rows = await transaction
    .selectFrom('realm_clients')
    .select(['id', 'client_id'])
    .where('realm_id', '=', realmId)
    .execute()
  return new Map(rows.map((row) => [row.client_id, row.id]))
}

async function removeOtherRoles(kept: ReadonlySet<string>, into: ImportInto): Promise<void> {
  const { transaction, realmId } = into
  const clientIds = new Map([...(await loadClientRowIds(into))].map(([clientId, rowId]) => [rowId, clientId]))
  const rows = await transaction.selectFrom('realm_roles').selectAll().where('realm_id', '=', realmId).execute()
  for (const row of rows) {
    const clientId = row.client_id === '' ? '' : clientIds.get(row.client_id)
    if (clientId !== undefined && kept.has(keyOf({ clientId, name: row.name }))) continue
    await transaction.deleteFrom('realm_roles').where('id', '=', row.id).execute()
    await transaction.deleteFrom('realm_role_composites').where('child_id', '=', row.id).execute()
    await transaction.deleteFrom('realm_role_composites').where('parent_id', '=', row.id).execute()
    await transaction.deleteFrom('realm_group_roles').where('role_id', '=', row.id).execute()
    await transaction.deleteFrom('realm_user_roles').where('role_id', '=', row.id).execute()
  }
}

async function reconcileComposites(
  declared: readonly { readonly role: RoleRepresentation; readonly clientId: string }[],
  into: ImportInto,
): Promise<void> {
  const { transaction } = into
  const idOf = await loadRoleIds(into)
  for (const { role, clientId } of declared) {
    const parent = idOf({ clientId, name: role.name })
    if (parent === undefined) continue
    const children = roleNames(role.composites?.realm, role.composites?.client).flatMap((name) => idOf(name) ?? [])
    await transaction.deleteFrom('realm_role_composites').where('parent_id', '=', parent).execute()
    for (const child of new Set(children)) {
      await transaction.insertInto('realm_role_composites').values({ parent_id: parent, child_id: child }).execute()
    }
  }
}
