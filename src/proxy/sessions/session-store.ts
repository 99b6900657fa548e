import type { Clock } from '../../kit/clock.ts'
import type { Log } from '../../kit/log.ts'
import type { Random } from '../../kit/random.ts'
import type { Leases } from '../../store/leases.ts'
import type { Records } from '../../store/records.ts'
import type { RedisConnection } from '../../store/redis.ts'
import type { RedisWatch } from '../../store/redis-watch.ts'
import type { Session } from '../session.ts'
import type { ProxyConfig } from '../typed-config.ts'
import type { CookieKeys } from './session-codec.ts'

/** A session as a request's cookie leads to it. */
export interface KeptSession {
  /** What names it for good, whatever becomes of its tokens. */
  readonly id: string
  /** The cookie's text. */
  readonly text: string
  readonly session: Session
  /** When the cookie is no longer taken, milliseconds since the epoch. */
  readonly endsAt: number
}

/**
 * One way of keeping browser sessions. Every method but `open` may throw GatehouseError `store_unavailable`, which never
 * means that there is no session.
 */
export interface SessionStore {
  /** Whether programs of another kind write here, too. */
  readonly isShared: boolean
  /** Whether a change made elsewhere would be told, so that what was found may be remembered. */
  hearsChanges(): boolean
  /** Calls `changed` with the cookie's text of a session that changed, without one where any may have. */
  listen(changed: (text: string | undefined) => void): void
  /** Keeps a new session, under a name no browser had before. @returns the cookie's text */
  create(session: Session): Promise<string>
  /** A text that leads to the session as it is now, where it changes with the session: that of a cookie of its own. */
  readonly textOf?: (session: Session) => string
  /** The session a cookie's text leads to; `undefined` where the text is none of ours, too old, or the session is gone. */
  find(text: string): Promise<KeptSession | undefined>
  /** The session as it stands now, whoever refreshed it; `undefined` where it is gone. */
  latest(kept: KeptSession): Promise<Session | undefined>
  /** Keeps the refreshed session in its place; one that was ended meanwhile stays ended. */
  replace(kept: KeptSession, fresh: Session): Promise<void>
  /** Forgets it. */
  end(kept: KeptSession): Promise<void>
  /** Of all replicas one refreshes a session at a time. */
  lease(kept: KeptSession): ReturnType<Leases['acquire']>
}

/** What a store is opened with. */
export interface SessionStoreOptions {
  readonly config: ProxyConfig
  readonly keys: CookieKeys
  readonly records: Records
  /** Where one is configured. */
  readonly redis?: RedisConnection
  readonly watch?: RedisWatch
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
}
