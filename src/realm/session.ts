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

/** How long sessions of one kind live, in milliseconds. */
interface SessionLimits {
  readonly offline: boolean
  readonly rememberMe: boolean
  readonly maxMs: number
  readonly idleMs: number
}

/** Keycloak lets a session idle this much longer than told (SessionTimeoutHelper.IDLE_TIMEOUT_WINDOW_SECONDS). */
const idleGraceMs = 120_000

/** The kinds of sessions, with their limits. */
export function sessionKinds(settings: RealmSettings): SessionLimits[] {
  const { offlineSessionMaxLifespanEnabled, offlineSessionMaxLifespan, offlineSessionIdleTimeout } = settings
  const online = { maxMs: settings.ssoSessionMaxLifespan * 1000, idleMs: settings.ssoSessionIdleTimeout * 1000 }
  const remembered = {
    maxMs: settings.ssoSessionMaxLifespanRememberMe * 1000 || online.maxMs,
    idleMs: settings.ssoSessionIdleTimeoutRememberMe * 1000 || online.idleMs,
  }
  const offline = {
    maxMs: offlineSessionMaxLifespanEnabled ? offlineSessionMaxLifespan * 1000 : Number.POSITIVE_INFINITY,
    idleMs: offlineSessionIdleTimeout * 1000,
  }
  return [
    { offline: false, rememberMe: false, ...online },
    { offline: false, rememberMe: true, ...remembered },
    { offline: true, rememberMe: false, ...offline },
  ]
}

/** The earliest start and last use of a session of this kind that still lives. */
export function oldestLiving(
  { maxMs, idleMs }: SessionLimits,
  now: number,
): { startedAt: number; lastRefreshAt: number } {
  return { startedAt: now - maxMs, lastRefreshAt: now - idleMs - idleGraceMs }
}

/** The session of a row, or `undefined` when it has ended. */
export function toLiveSession(
  row: RealmTables['realm_sessions'],
  settings: RealmSettings,
  now: number,
): Session | undefined {
  const kind = { offline: row.offline === 1, rememberMe: row.offline !== 1 && row.remember_me === 1 }
  const limits = sessionKinds(settings).find(
    (one) => one.offline === kind.offline && one.rememberMe === kind.rememberMe,
  )
  if (!limits) return undefined
  const startedAt = Number(row.started_at)
  const lastRefreshAt = Number(row.last_refresh_at)
  const oldest = oldestLiving(limits, now)
  if (startedAt <= oldest.startedAt || lastRefreshAt <= oldest.lastRefreshAt) return undefined
  return {
    ...kind,
    id: row.id,
    userId: row.user_id,
    startedAt,
    lastRefreshAt,
    authenticatedAt: row.authenticated_at === null ? undefined : Number(row.authenticated_at),
    clientAddress: row.client_address,
    endsAt: startedAt + limits.maxMs,
    idleMs: limits.idleMs,
  }
}
