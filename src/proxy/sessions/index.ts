import { openCookieStore } from './cookie.ts'
import { openRedisStore } from './redis.ts'
import type { SessionStore, SessionStoreOptions } from './session-store.ts'
import { openSqliteStore } from './sqlite.ts'

/** Values of `session_store_type`; `sqlite` is ours. */
export const sessionStores: Readonly<Record<string, (options: SessionStoreOptions) => SessionStore>> = {
  cookie: openCookieStore,
  sqlite: openSqliteStore,
  redis: openRedisStore,
}
