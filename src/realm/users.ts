import type { Kysely } from 'kysely'
import type { Clock } from '../kit/clock.ts'
import { fail } from '../kit/errors.ts'
import type { Random } from '../kit/random.ts'
import { openSqlRecords, type RecordTables } from '../store/records.ts'
import { endedSessionsOf } from './client-logout.ts'
import { addGroupByHand, removeGroupByHand } from './groups-by-hand.ts'
import { groupIdAt, roleIds } from './import/create-missing-users.ts'
import { loadRealmModel, type RealmModel } from './model.ts'
import { openPasswordHasher, type PasswordHasher } from './passwords/hash-password.ts'
import { openThrottle } from './passwords/throttle.ts'
import { openSessionStore } from './session-store.ts'
import type { RealmTables } from './tables.ts'
import type { User } from './user.ts'
import { openUserStore, type UserStore } from './user-store.ts'

/** A user as an administrator sees them. */
export interface RealmUser {
  readonly id: string
  readonly username: string
  readonly email: string | undefined
  readonly firstName: string | undefined
  readonly lastName: string | undefined
  readonly enabled: boolean
  /** Paths, with their leading slash. */
  readonly groups: readonly string[]
}

/** What an administrator gives a new user; group paths may lack the leading slash. */
export interface NewRealmUser {
  readonly username: string
  readonly email?: string
  readonly firstName?: string
  readonly lastName?: string
  readonly groups?: readonly string[]
  readonly password: string
}

/** User administration for the command line. */
export type RealmUsers = ReturnType<typeof openRealmUsers>

/**
 * Opens the users of every realm in the database; safe while a server runs on the same file. Every function throws
 * GatehouseError `unknown_realm`; those that take a user `unknown_user`, those that take groups `unknown_group`.
 */
export function openRealmUsers({
  database,
  clock,
  random,
  hasher = openPasswordHasher({ random }),
}: {
  database: Kysely<RealmTables & RecordTables>
  clock: Clock
  random: Random
  hasher?: PasswordHasher
}) {
  const open = async (realm: string) => {
    const typed = database as unknown as Kysely<RealmTables> // the tables of this room are among them
    const records = openSqlRecords(database as unknown as Kysely<RecordTables>, clock)
    const model = await loadRealmModel(typed, realm)
    if (!model) return fail('unknown_realm', `there is no realm \`${realm}\``)
    const { settings, id: realmId } = model
    const parts = { database: typed, realmId, clock, random }
    const uniqueEmails = !settings.duplicateEmailsAllowed
    return {
      model,
      users: openUserStore({ ...parts, uniqueEmails }),
      /** All of it or nothing; what it does must begin with a write, so that it takes its turn among the writers. */
      atomically: <Result>(work: (users: UserStore) => Promise<Result>) =>
        typed
          .transaction()
          .execute((transaction) => work(openUserStore({ ...parts, uniqueEmails, database: transaction }))),
      sessions: openSessionStore({ ...parts, settings, ended: endedSessionsOf(records, realmId) }),
      throttle: openThrottle({ records, clock, realmId, settings }),
    }
  }
  const openWithUser = async (realm: string, usernameOrEmail: string) => {
    const opened = await open(realm)
    const user = await findUser(opened.users, usernameOrEmail)
    return {
      ...opened,
      user: user ?? fail('unknown_user', `there is no user \`${usernameOrEmail}\` in realm \`${realm}\``),
    }
  }

  return {
    /** Names of the realms there are. */
    async realms(): Promise<string[]> {
      const typed = database as unknown as Kysely<RealmTables> // as above
      return (await typed.selectFrom('realms').select('name').orderBy('name').execute()).map(({ name }) => name)
    },

    async list(realm: string): Promise<RealmUser[]> {
      const { users, model } = await open(realm)
      return (await users.list()).map((user) => describe(user, model))
    },

    async find(realm: string, usernameOrEmail: string): Promise<RealmUser | undefined> {
      const { users, model } = await open(realm)
      const user = await findUser(users, usernameOrEmail)
      return user && describe(user, model)
    },

    /** @throws GatehouseError `user_exists` */
    async create(realm: string, user: NewRealmUser): Promise<RealmUser> {
      const { atomically, model } = await open(realm)
      const { groups, password, ...rest } = user
      const groupIds = toGroupIds(model, groups ?? model.settings.defaultGroups)
      const hash = await hasher.hash(password)
      const roles = roleIds(model, [{ clientId: '', name: model.settings.defaultRoleName }])
      return atomically(async (users) => {
        const emailVerified = rest.email !== undefined
        const created = await users.create({ ...rest, groupIds, roleIds: roles, emailVerified })
        await users.setPassword(created.id, hash)
        return describe(created, model)
      })
    },

    /** Also ends the user's sessions and forgets failed sign-ins: whoever knew the old password is out. */
    async setPassword(realm: string, usernameOrEmail: string, password: string): Promise<void> {
      const { atomically, sessions, throttle, user } = await openWithUser(realm, usernameOrEmail)
      const hash = await hasher.hash(password)
      const actions = user.requiredActions.filter((action) => action !== 'UPDATE_PASSWORD')
      await atomically(async (users) => {
        await users.setPassword(user.id, hash)
        await users.setRequiredActions(user.id, actions)
      })
      await throttle.release(`id:${user.id}`)
      await sessions.endForUser(user.id)
    },

    /** Disabling ends the user's sessions. */
    async setEnabled(realm: string, usernameOrEmail: string, enabled: boolean): Promise<void> {
      const { users, sessions, user } = await openWithUser(realm, usernameOrEmail)
      await users.setEnabled(user.id, enabled)
      if (!enabled) await sessions.endForUser(user.id)
    },

    /** Ends the user's sessions and removes them with everything of theirs. */
    async remove(realm: string, usernameOrEmail: string): Promise<void> {
      const { atomically, sessions, user } = await openWithUser(realm, usernameOrEmail)
      await atomically((users) => users.remove(user.id))
      await sessions.endForUser(user.id)
    },

    /** Makes a group, and those above it; `addGroupByHand` tells the rest. */
    async addGroup(realm: string, path: string): Promise<void> {
      const { model } = await open(realm)
      await addGroupByHand(path, { database: database as unknown as Kysely<RealmTables>, model, random })
    },

    /** Removes a group that was made so. */
    async removeGroup(realm: string, path: string): Promise<void> {
      const { model } = await open(realm)
      await removeGroupByHand(path, { database: database as unknown as Kysely<RealmTables>, model })
    },

    /** Makes these the user's only groups; tokens show it from the next refresh on. */
    async setGroups(realm: string, usernameOrEmail: string, groups: readonly string[]): Promise<void> {
      const { atomically, model, user } = await openWithUser(realm, usernameOrEmail)
      const groupIds = toGroupIds(model, groups)
      await atomically((users) => users.setGroups(user.id, groupIds))
    },
  }
}

async function findUser(users: ReturnType<typeof openUserStore>, usernameOrEmail: string): Promise<User | undefined> {
  return (await users.findByUsername(usernameOrEmail)) ?? users.findByEmail(usernameOrEmail)
}

function toGroupIds(model: RealmModel, paths: readonly string[]): string[] {
  return paths.map((path) => {
    const known = [...model.groups.values()].map((group) => group.path).join(', ')
    return groupIdAt(model, path) ?? fail('unknown_group', `there is no group \`${path}\` (known: ${known || 'none'})`)
  })
}

function describe({ id, username, email, firstName, lastName, enabled, groupIds }: User, model: RealmModel): RealmUser {
  const groups = groupIds.flatMap((groupId) => model.groups.get(groupId)?.path ?? []).sort()
  return { id, username, email, firstName, lastName, enabled, groups }
}
