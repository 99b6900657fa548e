import { GatehouseError } from '../../kit/errors.ts'
import { openRecordLeases } from '../../store/leases.ts'
import type { Collection } from '../../store/records.ts'
import { openSessionCodec } from './session-codec.ts'
import { cookieEndsAt } from './session-life.ts'
import { sessionId, withoutTokens } from './session-names.ts'
import type { SessionStore, SessionStoreOptions } from './session-store.ts'

/**
 * Longest session a browser can be asked to carry. Servers take some 60 KiB of headers, ours too: a longer one would lock
 * its user out until they delete their cookies.
 */
const maxSessionLength = 48 * 1024

/**
 * Sessions in the cookie itself. What a refresh makes of one is kept in the records, sealed like the cookie, under the
 * session's id: an ext_authz client drops the `Set-Cookie` of an answer that lets a request pass, so the browser cannot
 * be told.
 */
export function openCookieStore({ config, keys, records, clock, random }: SessionStoreOptions): SessionStore {
  const lifetimeSeconds = Math.floor(config.cookie_expire / 1000)
  const codec = openSessionCodec({ name: config.cookie_name, keys, lifetimeSeconds, clock, random })
  const renewed: Collection<string> = records.collection('proxy-renewed-sessions')
  const leases = openRecordLeases(records, { name: 'proxy-leases', clock, random })

  return {
    isShared: false, // the records are ours alone
    hearsChanges: () => true, // of what is ended, by those who end it
    listen() {},
    async create(session) {
      const text = codec.seal(config.session_cookie_minimal ? withoutTokens(session) : session)
      if (text.length <= maxSessionLength) return text
      throw new GatehouseError('session_too_large', `a session of ${text.length} bytes fits into no cookies`)
    },
    textOf: (session) => codec.seal(session),
    async find(text) {
      const session = codec.open(text)
      return session && { id: sessionId(session, text), text, session, endsAt: cookieEndsAt(session, config) }
    },
    async latest({ id, session }) {
      const sealed = await renewed.find(id)
      const other = sealed === undefined ? undefined : codec.open(sealed)
      // oauth2-proxy beside us hands refreshed sessions out as new cookies.
      return other && other.createdAt > session.createdAt ? other : session
    },
    async replace({ id }, fresh) {
      const sealed = codec.seal(fresh)
      const until = cookieEndsAt(fresh, config)
      if (!(await renewed.create(id, sealed, until))) await renewed.update(id, () => sealed, until)
    },
    async end({ id }) {
      await renewed.delete(id)
    },
    lease: ({ id }) => leases.acquire(id),
  }
}
