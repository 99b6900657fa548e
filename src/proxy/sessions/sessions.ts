import { GenerationCache } from '../../kit/cache.ts'
import type { Clock } from '../../kit/clock.ts'
import { GatehouseError } from '../../kit/errors.ts'
import type { Log } from '../../kit/log.ts'
import type { Collection, Records } from '../../store/records.ts'
import type { ProxyConfig } from '../config.ts'
import type { Provider } from '../provider/provider.ts'
import type { Session } from '../session.ts'
import { type Revocations, sessionId } from './revocations.ts'
import type { SessionCodec } from './session-codec.ts'
import { sessionTexts } from './session-cookies.ts'
import { cookieEndsAt, diesAt, renewsAt } from './session-life.ts'

/** A session as found in a request. */
export interface FoundSession {
  readonly id: string
  /** The cookie's text. */
  readonly text: string
  readonly session: Session
  /** Until when nothing about it changes by itself, milliseconds since the epoch. */
  readonly freshUntil: number
}

/** Finds, renews and ends browser sessions. */
export interface Sessions {
  /**
   * The live session of a `Cookie` header. A session whose tokens are dead is refreshed once for all who wait.
   * @throws GatehouseError `provider_unavailable` where it can be neither used nor refreshed now.
   */
  find(cookieHeader: string | undefined): Promise<FoundSession | undefined>
  /** What a cookie's session has become by refreshing; `undefined` where it has not been refreshed. */
  latest(text: string): Promise<Session | undefined>
}

/** How long a session that could not be refreshed, but lives, is left alone, in milliseconds. */
const retryRefreshAfter = 30_000

/**
 * Refreshed sessions are kept in `records`, sealed like the cookie, under the session's id: an ext_authz client drops
 * the `Set-Cookie` of an answer that lets a request pass, so the browser cannot be told.
 */
export function openSessions({
  config,
  codec,
  revocations,
  records,
  provider,
  clock,
  log,
}: {
  config: ProxyConfig
  codec: SessionCodec
  revocations: Revocations
  records: Records
  provider: Provider
  clock: Clock
  log: Log
}): Sessions {
  const renewed: Collection<string> = records.collection('proxy-renewed-sessions')
  const renewing = new Map<string, Promise<Session | undefined>>()
  // When a refresh that failed may be tried again, by session id.
  const restingUntil = new GenerationCache<number>(10_000)

  async function current(id: string, session: Session): Promise<Session | undefined> {
    if (clock.now() < Math.min(renewsAt(session, config), diesAt(session, config))) return session
    const known = await renewed.find(id)
    const latest = (known === undefined ? undefined : codec.open(known)) ?? session
    if (clock.now() < Math.min(renewsAt(latest, config), diesAt(latest, config))) return latest
    const isAlive = clock.now() < diesAt(latest, config)
    if (!latest.refreshToken) return isAlive ? latest : undefined
    if (isAlive && clock.now() < (restingUntil.get(id) ?? 0)) return latest
    const pending = renewing.get(id) ?? renew(id, latest).finally(() => renewing.delete(id))
    renewing.set(id, pending)
    return pending
  }

  async function renew(id: string, session: Session): Promise<Session | undefined> {
    try {
      const fresh = await provider.refresh(session)
      await remember(id, fresh)
      return clock.now() < diesAt(fresh, config) ? fresh : undefined
    } catch (cause) {
      restingUntil.set(id, clock.now() + retryRefreshAfter)
      const isAlive = clock.now() < diesAt(session, config)
      const code = cause instanceof GatehouseError ? cause.code : 'unknown'
      log.info('session not refreshed', { reason: code, stillAlive: isAlive, cause })
      if (code === 'grant_refused') return refreshedElsewhere(id, session)
      if (isAlive) return session
      if (code === 'provider_unavailable') throw cause
      return undefined
    }
  }

  /**
   * The provider has ended the session (signed out, disabled, removed), so it is over here, too, whatever its ID token
   * says; unless another replica has just used the same refresh token.
   */
  async function refreshedElsewhere(id: string, { refreshToken }: Session): Promise<Session | undefined> {
    const sealed = await renewed.find(id)
    const other = sealed === undefined ? undefined : codec.open(sealed)
    return other && other.refreshToken !== refreshToken && clock.now() < diesAt(other, config) ? other : undefined
  }

  async function remember(id: string, fresh: Session): Promise<void> {
    const sealed = codec.seal(fresh)
    const until = cookieEndsAt(fresh, config)
    if (!(await renewed.create(id, sealed, until))) await renewed.update(id, () => sealed, until)
  }

  return {
    async latest(text) {
      const session = codec.open(text)
      const sealed = session && (await renewed.find(sessionId(session, text)))
      return sealed === undefined ? undefined : codec.open(sealed)
    },
    async find(cookieHeader) {
      for (const text of sessionTexts(cookieHeader, config.cookie_name)) {
        const opened = codec.open(text)
        if (!opened) continue
        const id = sessionId(opened, text)
        if (await revocations.isRevoked(id)) continue
        const session = await current(id, opened)
        if (!session) continue
        const ends = [cookieEndsAt(opened, config), diesAt(session, config)]
        const renewal = Math.max(renewsAt(session, config), restingUntil.get(id) ?? 0)
        return { id, text, session, freshUntil: Math.min(...ends, renewal) }
      }
      return undefined
    },
  }
}
