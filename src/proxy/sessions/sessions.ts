import type { Session } from '../session.ts'
import { openRefresher, type RefreshOptions } from './refresh-once.ts'
import type { Revocations } from './revocations.ts'
import { sessionTexts } from './session-cookies.ts'
import type { KeptSession, SessionStore } from './session-store.ts'

/** A session as found in a request. */
export interface FoundSession {
  readonly id: string
  /** The cookie's text. */
  readonly text: string
  readonly session: Session
  /** Until when nothing about it changes by itself, milliseconds since the epoch. */
  readonly freshUntil: number
}

/** A session that is to be ended. */
export interface EndingSession extends KeptSession {
  /** What it has become by refreshing. */
  readonly latest: Session
}

/** Finds, keeps and ends browser sessions. Every method throws GatehouseError `store_unavailable` in an outage. */
export interface Sessions {
  /**
   * The live session of a `Cookie` header. A session whose tokens are dead is refreshed once for all who wait.
   * @throws GatehouseError `provider_unavailable` where it can be neither used nor refreshed now.
   */
  find(cookieHeader: string | undefined): Promise<FoundSession | undefined>
  /**
   * Keeps a new session in place of those the request carried: a browser never goes on with an identifier from before
   * the sign-in. @returns the cookie's text
   */
  start(session: Session, cookieHeader: string | undefined): Promise<string>
  /** Forgets the session of this text, whether its tokens live or not. @returns what it was */
  end(text: string): Promise<EndingSession | undefined>
}

/** Opens the sessions of one store. */
export function openSessions(
  options: RefreshOptions & { readonly store: SessionStore; readonly revocations: Revocations },
): Sessions {
  const { config, store, revocations, log } = options
  const refresher = openRefresher(options)

  async function end(text: string): Promise<EndingSession | undefined> {
    const kept = await store.find(text)
    if (!kept) return undefined
    const latest = (await store.latest(kept)) ?? kept.session
    await store.end(kept)
    return { ...kept, latest }
  }

  return {
    end,
    async find(cookieHeader) {
      for (const text of sessionTexts(cookieHeader, config.cookie_name)) {
        const kept = await store.find(text)
        if (!kept || (await revocations.isRevoked(kept.id))) continue
        const session = await refresher.current(kept)
        if (!session) continue
        const until = Math.min(kept.endsAt, refresher.freshUntil(kept.id, session))
        return { id: kept.id, text, session, freshUntil: store.hearsChanges() ? until : 0 }
      }
      return undefined
    },
    async start(session, cookieHeader) {
      const text = await store.create(session)
      for (const old of sessionTexts(cookieHeader, config.cookie_name)) {
        await end(old).catch((cause: unknown) => log.warn('an earlier session could not be deleted', { cause }))
      }
      return text
    },
  }
}
