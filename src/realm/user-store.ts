import type { Kysely } from 'kysely'
import type { Clock } from '../kit/clock.ts'
import { fail } from '../kit/errors.ts'
import { type Random, randomUuid } from '../kit/random.ts'
import { parseStoredPassword, type StoredPassword } from './passwords/stored-password.ts'
import type { RealmTables } from './tables.ts'
import { type NewUser, toUser, toUserRow, type User } from './user.ts'

/** One realm's users in the database. */
export type UserStore = ReturnType<typeof openUserStore>

/** Opens the users of a realm. `uniqueEmails`: no two users may share an e-mail address. */
export function openUserStore({
  database,
  realmId,
  uniqueEmails,
  clock,
  random,
}: {
  database: Kysely<RealmTables>
  realmId: string
  uniqueEmails: boolean
  clock: Clock
  random: Random
}) {
  const rows = () => database.selectFrom('realm_users').selectAll().where('realm_id', '=', realmId)

  async function withMemberships(row: RealmTables['realm_users'] | undefined): Promise<User | undefined> {
    if (!row) return undefined
    const groups = await database
      .selectFrom('realm_user_groups')
      .select('group_id')
      .where('user_id', '=', row.id)
      .execute()
    const roles = await database
      .selectFrom('realm_user_roles')
      .select('role_id')
      .where('user_id', '=', row.id)
      .execute()
    return toUser(row, {
      groupIds: groups.map(({ group_id }) => group_id),
      roleIds: roles.map(({ role_id }) => role_id),
    })
  }

  const users = {
    load: async (id: string) => withMemberships(await rows().where('id', '=', id).executeTakeFirst()),

    findByUsername: async (username: string) =>
      withMemberships(await rows().where('username', '=', username.toLowerCase()).executeTakeFirst()),

    findByEmail: async (email: string) =>
      withMemberships(await rows().where('email', '=', email.toLowerCase()).orderBy('created_at').executeTakeFirst()),

    findServiceAccount: async (clientRowId: string) =>
      withMemberships(await rows().where('service_account_client_id', '=', clientRowId).executeTakeFirst()),

    /** Every user, by name; service accounts left out. */
    async list(): Promise<User[]> {
      const found = await rows().where('service_account_client_id', 'is', null).orderBy('username').execute()
      const users: User[] = []
      for (const row of found) users.push((await withMemberships(row)) ?? fail('user', 'a user went away'))
      return users
    },

    /** @throws GatehouseError `user_exists` where the name, the e-mail address or the id is taken. */
    async create(user: NewUser): Promise<User> {
      const row = toUserRow(user, { id: user.id ?? randomUuid(random), realmId, uniqueEmails, now: clock.now() })
      // Written before anything is read, so that a transaction begins by taking its turn.
      const { numInsertedOrUpdatedRows } = await database
        .insertInto('realm_users')
        .values(row)
        .onConflict((conflict) => conflict.doNothing())
        .executeTakeFirst()
      if (Number(numInsertedOrUpdatedRows) === 0) {
        fail('user_exists', `there is a user with the name \`${row.username}\` or the same e-mail address already`)
      }
      await users.setGroups(row.id, user.groupIds ?? [])
      for (const role_id of new Set(user.roleIds)) {
        await database.insertInto('realm_user_roles').values({ user_id: row.id, role_id }).execute()
      }
      return (await users.load(row.id)) ?? fail('user', `the user \`${row.username}\` went away`)
    },

    async setGroups(userId: string, groupIds: readonly string[]): Promise<void> {
      await database.deleteFrom('realm_user_groups').where('user_id', '=', userId).execute()
      for (const group_id of new Set(groupIds)) {
        await database.insertInto('realm_user_groups').values({ user_id: userId, group_id }).execute()
      }
    },

    async setEnabled(userId: string, enabled: boolean): Promise<void> {
      await database
        .updateTable('realm_users')
        .set({ enabled: enabled ? 1 : 0 })
        .where('id', '=', userId)
        .execute()
    },

    async setRequiredActions(userId: string, actions: readonly string[]): Promise<void> {
      await database
        .updateTable('realm_users')
        .set({ json_required_actions: JSON.stringify(actions) })
        .where('id', '=', userId)
        .execute()
    },

    /** Removes the user with their credentials, memberships and roles. */
    async remove(userId: string): Promise<void> {
      await database.deleteFrom('realm_users').where('id', '=', userId).execute()
      await database.deleteFrom('realm_credentials').where('user_id', '=', userId).execute()
      await database.deleteFrom('realm_user_groups').where('user_id', '=', userId).execute()
      await database.deleteFrom('realm_user_roles').where('user_id', '=', userId).execute()
    },

    /** The user's password and the types of their other credentials. */
    async credentials(userId: string): Promise<{ password: StoredPassword | undefined; others: readonly string[] }> {
      const found = await database.selectFrom('realm_credentials').selectAll().where('user_id', '=', userId).execute()
      const password = found.find(({ type }) => type === 'password')
      return {
        password: password && parseStoredPassword(password.json_secret, password.json_parameters),
        others: found.filter(({ type }) => type !== 'password').map(({ type }) => type),
      }
    },

    /** Replaces the user's password. */
    async setPassword(userId: string, { secret, parameters }: StoredPassword): Promise<void> {
      await database
        .deleteFrom('realm_credentials')
        .where('user_id', '=', userId)
        .where('type', '=', 'password')
        .execute()
      const json = { json_secret: JSON.stringify(secret), json_parameters: JSON.stringify(parameters) }
      await users.addCredential(userId, { type: 'password', ...json })
    },

    async addCredential(
      userId: string,
      credential: { readonly type: string; readonly json_secret: string; readonly json_parameters: string },
    ): Promise<void> {
      await database
        .insertInto('realm_credentials')
        .values({ id: randomUuid(random), user_id: userId, created_at: clock.now(), ...credential })
        .execute()
    },
  }
  return users
}
