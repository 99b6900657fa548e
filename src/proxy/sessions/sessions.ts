import type { EndedSessions, SessionNames } from '../../oidc/ended-sessions.ts'
import type { Session } from '../session.ts'
import { openRefresher, type RefreshOptions } from './refresh-once.ts'
import { eachSessionText, sessionTexts } from './session-cookies.ts'
import { diesAt } from './session-life.ts'
import { namesOfSession } from './session-names.ts'
import type { KeptSession, SessionStore } from './session-store.ts'

/** A session as found in a request. */
export interface FoundSession {
  readonly id: string
  /** What it is called where it is ended from elsewhere. */
  readonly names: SessionNames
  /** The cookie's text. */
  readonly text: string
  readonly session: Session
  /** The text a browser should carry instead, where the session has been refreshed and is kept in the cookie itself. */
  readonly renewedText?: () => string
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
  /**
   * Deletes the sessions a browser carries, where they are kept; never rejects. Their names are not ended, for they are
   * the next session's, too, where the provider goes on with its own.
   */
  drop(cookieHeader: string | undefined): Promise<void>
  /** Ends the session of this text for good, whether its tokens live or not. @returns what it was */
  end(text: string): Promise<EndingSession | undefined>
}

/** Opens the sessions of one store. */
export function openSessions(
  options: RefreshOptions & { readonly store: SessionStore; readonly ended: EndedSessions },
): Sessions {
  const { config, store, ended, log } = options
  // A session whose provider refuses it is over for its tokens and open sockets, too.
  const refresher = openRefresher({ ...options, store: { ...store, end: (kept) => endForGood(kept, kept.session) } })

  async function end(text: string): Promise<EndingSession | undefined> {
    const kept = await store.find(text)
    if (!kept) return undefined
    const latest = (await store.latest(kept)) ?? kept.session
    await endForGood(kept, latest)
    return { ...kept, latest }
  }

  async function drop(cookieHeader: string | undefined): Promise<void> {
    try {
      for (const text of sessionTexts(cookieHeader, config.cookie_name)) {
        const kept = await store.find(text)
        if (kept) await store.end(kept)
      }
    } catch (cause) {
      log.warn('an earlier session could not be deleted', { cause })
    }
  }

  async function endForGood(kept: KeptSession, latest: Session): Promise<void> {
    await store.end(kept)
    const all = [kept.session, latest].map((one) => namesOfSession(one, kept.id))
    const names = [...new Set(all.flatMap(({ ids }) => ids))]
    const lives = [kept.endsAt, ...[kept.session, latest].map((one) => diesAt(one, config))].filter(Number.isFinite)
    // As far as is known here: should the provider go on with it, what it issues from now on is a sign-in of its own.
    await ended.end({ names, upTo: Math.max(...all.map(({ since }) => since)) }, Math.max(...lives))
  }

  return {
    end,
    drop,
    async find(cookieHeader) {
      for (const text of eachSessionText(cookieHeader, config.cookie_name)) {
        const kept = await store.find(text)
        const names = kept && namesOfSession(kept.session, kept.id)
        if (!kept || !names || (await ended.hasEnded(names))) continue
        const session = await refresher.current(kept)
        if (!session) continue
        const until = Math.min(kept.endsAt, refresher.freshUntil(kept.id, session))
        const found = { id: kept.id, names, text, session, freshUntil: store.hearsChanges() ? until : 0 }
        const { textOf } = store
        return textOf && session !== kept.session ? { ...found, renewedText: () => textOf(session) } : found
      }
      return undefined
    },
    async start(session, cookieHeader) {
      const text = await store.create(session)
      await drop(cookieHeader)
      return text
    },
  }
}
