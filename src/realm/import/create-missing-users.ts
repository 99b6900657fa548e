import type { Kysely } from 'kysely'
import type { Clock } from '../../kit/clock.ts'
import { GatehouseError } from '../../kit/errors.ts'
import type { Log } from '../../kit/log.ts'
import type { Random } from '../../kit/random.ts'
import { loadRealmModel, type RealmModel } from '../model.ts'
import type { PasswordHasher } from '../passwords/hash-password.ts'
import { importedPassword } from '../passwords/stored-password.ts'
import type { RealmRepresentation, UserRepresentation } from '../representation.ts'
import type { RealmTables } from '../tables.ts'
import { openUserStore, type UserStore } from '../user-store.ts'
import { freeId } from './import-into.ts'
import { type RoleName, roleNames } from './reconcile-roles.ts'

interface CreateUsers {
  readonly database: Kysely<RealmTables>
  readonly clock: Clock
  readonly random: Random
  readonly hasher: PasswordHasher
  readonly log: Log
}

/**
 * Creates the users of a realm's file that the realm does not have yet, and the service accounts of its clients. A user
 * who is there already is left as they are.
 */
export async function createMissingUsers(realm: RealmRepresentation, options: CreateUsers): Promise<void> {
  const { database, clock, random, hasher, log } = options
  const model = await loadRealmModel(database, realm.realm)
  if (!model) throw new TypeError(`the realm \`${realm.realm}\` has not been imported`)
  const store = { database, realmId: model.id, uniqueEmails: !realm.duplicateEmailsAllowed, clock, random }
  const users = openUserStore(store)
  for (const representation of realm.users) {
    if (await users.findByUsername(representation.username)) continue
    const password = await passwordOf(representation, hasher) // hashed before the transaction, which holds the database
    try {
      await database.transaction().execute(async (transaction) => {
        const id = await freeId('realm_users', representation.id, { transaction, random })
        const inTransaction = openUserStore({ ...store, database: transaction })
        await createUser({ ...representation, id }, { users: inTransaction, model, password })
      })
    } catch (error) {
      if (!(error instanceof GatehouseError) || error.code !== 'user_exists') throw error
      log.warn('user of the realm file was not created', { username: representation.username, reason: error.message })
    }
  }
  await createServiceAccounts(model, users)
}

async function passwordOf({ credentials }: UserRepresentation, hasher: PasswordHasher) {
  const credential = credentials.find(({ type }) => type === 'password')
  if (!credential) return undefined
  return credential.value === undefined ? importedPassword(credential) : hasher.hash(credential.value)
}

async function createUser(
  user: UserRepresentation & { readonly id: string },
  { users, model, password }: { users: UserStore; model: RealmModel; password: Awaited<ReturnType<typeof passwordOf>> },
): Promise<void> {
  const roles = roleNames(user.realmRoles ?? [model.settings.defaultRoleName], user.clientRoles)
  const groups = user.groups.length > 0 ? user.groups : model.settings.defaultGroups
  const isTemporary = user.credentials.some(({ type, temporary }) => type === 'password' && temporary)
  const client = user.serviceAccountClientId === undefined ? undefined : model.clients.get(user.serviceAccountClientId)
  const created = await users.create({
    id: user.id,
    username: user.username,
    email: user.email,
    emailVerified: user.emailVerified,
    firstName: user.firstName,
    lastName: user.lastName,
    enabled: user.enabled,
    attributes: user.attributes,
    requiredActions: [...new Set([...user.requiredActions, ...(isTemporary ? ['UPDATE_PASSWORD'] : [])])],
    serviceAccountClientId: client?.id,
    groupIds: groups.flatMap((path) => groupIdAt(model, path) ?? []),
    roleIds: roleIds(model, roles),
    ...(user.createdTimestamp === undefined ? {} : { createdAt: user.createdTimestamp }),
    ...(user.notBefore === undefined ? {} : { notBefore: user.notBefore }),
  })
  if (password) await users.setPassword(created.id, password)
  for (const { type, secretData = '{}', credentialData = '{}' } of user.credentials) {
    if (type === 'password') continue
    await users.addCredential(created.id, { type, json_secret: secretData, json_parameters: credentialData })
  }
}

async function createServiceAccounts(model: RealmModel, users: UserStore): Promise<void> {
  for (const client of model.clients.values()) {
    if (!client.serviceAccountsEnabled || (await users.findServiceAccount(client.id))) continue
    const defaultRole: RoleName = { clientId: '', name: model.settings.defaultRoleName }
    await users.create({
      username: `service-account-${client.clientId}`,
      serviceAccountClientId: client.id,
      roleIds: roleIds(model, [defaultRole]),
    })
  }
}

/** The ids of the roles of these names; names of roles there are none of are left out. */
export function roleIds(model: RealmModel, names: readonly RoleName[]): string[] {
  const roles = [...model.roles.values()]
  return names.flatMap(
    ({ clientId, name }) => roles.find((role) => role.name === name && (role.clientId ?? '') === clientId)?.id ?? [],
  )
}

/** The id of the group at a path; the leading slash may be missing. */
export function groupIdAt(model: RealmModel, path: string): string | undefined {
  const wanted = path.startsWith('/') ? path : `/${path}`
  return [...model.groups.values()].find((group) => group.path === wanted)?.id
}
