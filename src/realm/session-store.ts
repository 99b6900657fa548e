import type { Kysely } from 'kysely'
import type { Clock } from '../kit/clock.ts'
import { type Random, randomText } from '../kit/random.ts'
import type { RealmSettings } from './model.ts'
import type { RealmTables } from './tables.ts'

/** A signed-in user: in a browser, by the password grant, or (`offline`) behind offline tokens. Times in milliseconds. */
export interface Session {
  readonly id: string
  readonly offline: boolean
  readonly userId: string
  readonly startedAt: number
  readonly lastRefreshAt: number
  /** When the user proved who they are in a browser. */
  readonly authenticatedAt: number | undefined
  readonly rememberMe: boolean
  readonly clientAddress: string
  /** The moment it ends whatever happens; `Infinity` where nothing but idling ends it. */
  readonly endsAt: number
  /** How long it lives unused. */
  readonly idleMs: number
}

/** What a session means to one client. */
export interface ClientSession {
  readonly startedAt: number
  /** `1`: the user signed in for this client; `0`: their session's cookie did. */
  readonly acr: string
}

/** One realm's sessions in the database. */
export type SessionStore = ReturnType<typeof openSessionStore>

/** Keycloak lets a session idle this much longer than told (SessionTimeoutHelper.IDLE_TIMEOUT_WINDOW_SECONDS). */
const idleGraceMs = 120_000
const purgeEveryMs = 600_000

/** Opens the sessions of a realm. Expired ones are never found, and are removed now and then. */
export function openSessionStore({
  database,
  realmId,
  settings,
  clock,
  random,
}: {
  database: Kysely<RealmTables>
  realmId: string
  settings: RealmSettings
  clock: Clock
  random: Random
}) {
  let purgedAt = 0

  function toLiveSession(row: RealmTables['realm_sessions']): Session | undefined {
    const isOffline = row.offline === 1
    const remembered = row.remember_me === 1
    const { maxMs, idleMs } = isOffline ? offlineLimits(settings) : onlineLimits(settings, remembered)
    const session: Session = {
      id: row.id,
      offline: isOffline,
      userId: row.user_id,
      startedAt: Number(row.started_at),
      lastRefreshAt: Number(row.last_refresh_at),
      authenticatedAt: row.authenticated_at === null ? undefined : Number(row.authenticated_at),
      rememberMe: remembered,
      clientAddress: row.client_address,
      endsAt: Number(row.started_at) + maxMs,
      idleMs,
    }
    const now = clock.now()
    const isLive = now < session.endsAt && now < session.lastRefreshAt + idleMs + idleGraceMs
    return isLive ? session : undefined
  }

  const rowOf = (id: string, isOffline: boolean) =>
    database
      .selectFrom('realm_sessions')
      .selectAll('realm_sessions')
      .where('realm_sessions.id', '=', id)
      .where('realm_sessions.offline', '=', isOffline ? 1 : 0)
      .where('realm_id', '=', realmId)

  async function purge(): Promise<void> {
    if (clock.now() < purgedAt + purgeEveryMs) return
    purgedAt = clock.now()
    const rows = await database.selectFrom('realm_sessions').selectAll().where('realm_id', '=', realmId).execute()
    for (const row of rows) if (!toLiveSession(row)) await sessions.end(row.id, row.offline === 1)
  }

  const sessions = {
    /** Starts a session under a new, unpredictable id, or (for an offline one) under the online session's. */
    async start({
      id = randomText(random, 18),
      offline: isOffline = false,
      userId,
      authenticatedAt,
      rememberMe = false,
      clientAddress,
    }: {
      id?: string
      offline?: boolean
      userId: string
      authenticatedAt?: number | undefined
      rememberMe?: boolean
      clientAddress: string
    }): Promise<Session> {
      await purge()
      const now = clock.now()
      const row: RealmTables['realm_sessions'] = {
        id,
        offline: isOffline ? 1 : 0,
        realm_id: realmId,
        user_id: userId,
        started_at: now,
        last_refresh_at: now,
        authenticated_at: authenticatedAt ?? null,
        remember_me: rememberMe ? 1 : 0,
        client_address: clientAddress,
      }
      await database
        .insertInto('realm_sessions')
        .values(row)
        .onConflict((conflict) => conflict.columns(['id', 'offline']).doUpdateSet({ last_refresh_at: now }))
        .execute()
      const session = toLiveSession(row)
      if (!session) throw new TypeError('a session must live longer than no time: check the realm`s lifespans')
      return session
    },

    /** The live session, or `undefined`. */
    async find(id: string, isOffline = false): Promise<Session | undefined> {
      const row = await rowOf(id, isOffline).executeTakeFirst()
      return row && toLiveSession(row)
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
      const session = row && toLiveSession(row)
      if (!row || !session) return undefined
      return { session, clientSession: { startedAt: Number(row.client_started_at), acr: row.client_acr } }
    },

    /** Records that the session signs in to a client. One that did before keeps its start. */
    async attachClient(session: Session, clientRowId: string, acr: string): Promise<void> {
      await database
        .insertInto('realm_client_sessions')
        .values({
          session_id: session.id,
          offline: session.offline ? 1 : 0,
          client_id: clientRowId,
          started_at: clock.now(),
          acr,
        })
        .onConflict((conflict) => conflict.columns(['session_id', 'offline', 'client_id']).doUpdateSet({ acr }))
        .execute()
    },

    /** The user is still there: idling starts anew. */
    async touch(session: Session): Promise<Session> {
      const now = clock.now()
      await database
        .updateTable('realm_sessions')
        .set({ last_refresh_at: now })
        .where('id', '=', session.id)
        .where('offline', '=', session.offline ? 1 : 0)
        .execute()
      return { ...session, lastRefreshAt: now }
    },

    /** The user has proved again who they are. */
    async reauthenticate(session: Session): Promise<Session> {
      const now = clock.now()
      await database
        .updateTable('realm_sessions')
        .set({ last_refresh_at: now, authenticated_at: now })
        .where('id', '=', session.id)
        .where('offline', '=', 0)
        .execute()
      return { ...session, lastRefreshAt: now, authenticatedAt: now }
    },

    async end(id: string, isOffline = false): Promise<void> {
      const offline = isOffline ? 1 : 0
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
  return sessions
}

function onlineLimits(settings: RealmSettings, isRemembered: boolean): { maxMs: number; idleMs: number } {
  const max = isRemembered ? settings.ssoSessionMaxLifespanRememberMe : 0
  const idle = isRemembered ? settings.ssoSessionIdleTimeoutRememberMe : 0
  return {
    maxMs: (max > 0 ? max : settings.ssoSessionMaxLifespan) * 1000,
    idleMs: (idle > 0 ? idle : settings.ssoSessionIdleTimeout) * 1000,
  }
}

function offlineLimits(settings: RealmSettings): { maxMs: number; idleMs: number } {
  const { offlineSessionMaxLifespanEnabled, offlineSessionMaxLifespan, offlineSessionIdleTimeout } = settings
  return {
    maxMs: offlineSessionMaxLifespanEnabled ? offlineSessionMaxLifespan * 1000 : Number.POSITIVE_INFINITY,
    idleMs: offlineSessionIdleTimeout * 1000,
  }
}
