import type { Kysely } from 'kysely'
import type { Clock } from '../kit/clock.ts'
import { type Random, randomText } from '../kit/random.ts'
import type { Journal } from '../store/journal.ts'
import { type EndedSession, tellWithin } from './client-logout.ts'
import type { RealmSettings } from './model.ts'
import { type ClientSession, oldestLiving, type Session, sessionKinds, toLiveSession } from './session.ts'
import type { RealmTables } from './tables.ts'

/** What a session starts with. */
export interface NewSession {
  /** Its id; a new unpredictable one unless given. An offline session has the online one's. */
  readonly id?: string
  readonly offline?: boolean
  readonly userId: string
  readonly authenticatedAt?: number | undefined
  readonly rememberMe?: boolean
  readonly clientAddress: string
}

/** One realm's sessions in the database. */
export type SessionStore = ReturnType<typeof openSessionStore>

const purgeEveryMs = 600_000

/** Opens the sessions of a realm. Ended ones are never found, and are removed now and then. */
export function openSessionStore({
  database,
  realmId,
  settings,
  ended,
  clock,
  random,
}: {
  database: Kysely<RealmTables>
  realmId: string
  settings: RealmSettings
  /** Sessions that are ended before their time are noted here, so that their clients get to know. */
  ended: Journal<EndedSession>
  clock: Clock
  random: Random
}) {
  let purgedAt = 0
  const live = (row: RealmTables['realm_sessions']) => toLiveSession(row, settings, clock.now())

  const rowOf = (id: string, isOffline: boolean) =>
    database
      .selectFrom('realm_sessions')
      .selectAll('realm_sessions')
      .where('realm_sessions.id', '=', id)
      .where('realm_sessions.offline', '=', isOffline ? 1 : 0)
      .where('realm_id', '=', realmId)

  const sessions = {
    /** Starts a session; an offline one that is there already goes on. */
    async start(session: NewSession): Promise<Session> {
      if (clock.now() >= purgedAt + purgeEveryMs) {
        purgedAt = clock.now()
        await purgeSessions(database, realmId, { settings, now: purgedAt })
      }
      const row = await database
        .insertInto('realm_sessions')
        .values(toRow(session, { id: session.id ?? randomText(random, 18), realmId, now: clock.now() }))
        .onConflict((conflict) => conflict.columns(['id', 'offline']).doUpdateSet({ last_refresh_at: clock.now() }))
        .returningAll()
        .executeTakeFirstOrThrow()
      const started = live(row)
      if (!started) throw new TypeError(`a session of no length: look at the lifespans of realm ${realmId}`)
      return started
    },

    /** The live session, or `undefined`. */
    async find(id: string, isOffline = false): Promise<Session | undefined> {
      const row = await rowOf(id, isOffline).executeTakeFirst()
      return row && live(row)
    },

    /** The live session together with what it means to a client; `undefined` unless both are there. One statement. */
    async findForClient(
      id: string,
      clientRowId: string,
      isOffline = false,
    ): Promise<{ session: Session; clientSession: ClientSession } | undefined> {
      const row = await rowOf(id, isOffline)
        .innerJoin('realm_client_sessions as mine', (join) =>
          join
            .onRef('mine.session_id', '=', 'realm_sessions.id')
            .onRef('mine.offline', '=', 'realm_sessions.offline')
            .on('mine.client_id', '=', clientRowId),
        )
        .select(['mine.acr as client_acr', 'mine.started_at as client_started_at'])
        .executeTakeFirst()
      const session = row && live(row)
      if (!row || !session) return undefined
      return { session, clientSession: { startedAt: Number(row.client_started_at), acr: row.client_acr } }
    },

    /** Records that the session signs in to a client. One that did before keeps its start. */
    async attachClient({ id, offline }: Session, clientRowId: string, acr: string): Promise<void> {
      const row = { session_id: id, offline: offline ? 1 : 0, client_id: clientRowId, started_at: clock.now(), acr }
      await database
        .insertInto('realm_client_sessions')
        .values(row)
        .onConflict((conflict) => conflict.columns(['session_id', 'offline', 'client_id']).doUpdateSet({ acr }))
        .execute()
    },

    /** The user is still there: idling starts anew. */
    async touch(session: Session): Promise<Session> {
      return update(session, { lastRefreshAt: clock.now() })
    },

    /** The user has proved again who they are. */
    async reauthenticate(session: Session): Promise<Session> {
      return update(session, { lastRefreshAt: clock.now(), authenticatedAt: clock.now() })
    },

    async end(id: string, isOffline = false): Promise<void> {
      const offline = isOffline ? 1 : 0
      if (!isOffline) await noteEnd(id)
      await database.deleteFrom('realm_sessions').where('id', '=', id).where('offline', '=', offline).execute()
      await database
        .deleteFrom('realm_client_sessions')
        .where('session_id', '=', id)
        .where('offline', '=', offline)
        .execute()
    },

    /** Ends what the session means to one client, so that every token the client got from it is dead. */
    async endForClient(id: string, clientRowId: string): Promise<void> {
      await database
        .deleteFrom('realm_client_sessions')
        .where('session_id', '=', id)
        .where('client_id', '=', clientRowId)
        .execute()
    },

    /** Ends every session of a user, offline ones included. */
    async endForUser(userId: string): Promise<void> {
      const rows = await database.selectFrom('realm_sessions').selectAll().where('user_id', '=', userId).execute()
      for (const row of rows) await sessions.end(row.id, row.offline === 1)
    },
  }

  /** Before anything is removed, so that a crash in between leaves no client believing. */
  async function noteEnd(sessionId: string): Promise<void> {
    const rows = await rowOf(sessionId, false)
      .innerJoin('realm_client_sessions as mine', (join) =>
        join.onRef('mine.session_id', '=', 'realm_sessions.id').onRef('mine.offline', '=', 'realm_sessions.offline'),
      )
      .select('mine.client_id as client_row_id')
      .execute()
    const [first] = rows
    if (!first) return
    const clientIds = rows.map(({ client_row_id: clientId }) => clientId)
    await ended.append({ sessionId, userId: first.user_id, clientIds }, clock.now() + tellWithin)
  }

  async function update(session: Session, change: Pick<Session, 'lastRefreshAt'> & Partial<Session>): Promise<Session> {
    const changed = { ...session, ...change }
    await database
      .updateTable('realm_sessions')
      .set({ last_refresh_at: changed.lastRefreshAt, authenticated_at: changed.authenticatedAt ?? null })
      .where('id', '=', session.id)
      .where('offline', '=', session.offline ? 1 : 0)
      .execute()
    return changed
  }
  return sessions
}

function toRow(
  { userId, offline, authenticatedAt, rememberMe, clientAddress }: NewSession,
  { id, realmId, now }: { id: string; realmId: string; now: number },
): RealmTables['realm_sessions'] {
  return {
    id,
    offline: offline ? 1 : 0,
    realm_id: realmId,
    user_id: userId,
    started_at: now,
    last_refresh_at: now,
    authenticated_at: authenticatedAt ?? null,
    remember_me: rememberMe ? 1 : 0,
    client_address: clientAddress,
  }
}

/** Removes the sessions of a realm that have ended, with what they meant to clients. */
async function purgeSessions(
  database: Kysely<RealmTables>,
  realmId: string,
  { settings, now }: { settings: RealmSettings; now: number },
): Promise<void> {
  for (const kind of sessionKinds(settings)) {
    const { startedAt, lastRefreshAt } = oldestLiving(kind, now)
    await database
      .deleteFrom('realm_sessions')
      .where('realm_id', '=', realmId)
      .where('offline', '=', kind.offline ? 1 : 0)
      .where('remember_me', '=', kind.rememberMe ? 1 : 0)
      .where((row) =>
        row.or([row('started_at', '<=', Math.max(startedAt, 0)), row('last_refresh_at', '<=', lastRefreshAt)]),
      )
      .execute()
  }
  await database
    .deleteFrom('realm_client_sessions')
    .where(({ not, exists, selectFrom }) =>
      not(
        exists(
          selectFrom('realm_sessions')
            .select('id')
            .whereRef('realm_sessions.id', '=', 'realm_client_sessions.session_id')
            .whereRef('realm_sessions.offline', '=', 'realm_client_sessions.offline'),
        ),
      ),
    )
    .execute()
}
