import { GenerationCache } from '../../kit/cache.ts'
import type { Clock } from '../../kit/clock.ts'
import { GatehouseError } from '../../kit/errors.ts'
import type { Log } from '../../kit/log.ts'
import { type Lease, leaseTerm } from '../../store/leases.ts'
import type { Provider } from '../provider/provider.ts'
import type { Session } from '../session.ts'
import type { ProxyConfig } from '../typed-config.ts'
import { canRenew, diesAt, renewsAt } from './session-life.ts'
import type { KeptSession, SessionStore } from './session-store.ts'

/** Keeps sessions' tokens alive: of all who wait, over all replicas, one refreshes. */
export interface Refresher {
  /**
   * The session with tokens that live; `undefined` where it is over.
   * @throws GatehouseError where it can be neither used nor refreshed now.
   */
  current(kept: KeptSession): Promise<Session | undefined>
  /** Until when `current` would answer the same, milliseconds since the epoch. */
  freshUntil(id: string, session: Session): number
}

/** Where refreshed sessions are. */
export type RefreshedStore = Pick<SessionStore, 'isShared' | 'latest' | 'replace' | 'end' | 'lease'>

/** What refreshing takes. */
export interface RefreshOptions {
  readonly config: ProxyConfig
  readonly store: RefreshedStore
  readonly provider: Pick<Provider, 'refresh'>
  readonly clock: Clock
  readonly log: Log
}

/** How long a session that could not be refreshed, but lives, is left alone, in milliseconds. */
const retryAfter = 30_000
/** How often the one who waits looks, in milliseconds, and how many times: ten seconds in all. */
const lookEvery = 25
const looks = 400
/** How often one who was refused looks whether another program was faster: a second in all. */
const looksAfterRefusal = 40

/** A refresh goes on when the request that caused it is gone: nobody waits for a token that was spent and lost. */
export function openRefresher({ config, store, provider, clock, log }: RefreshOptions): Refresher {
  const renewing = new Map<string, Promise<Session | undefined>>()
  // By session id: when a refresh that failed may be tried again; which refresh token was refused for good.
  const restingUntil = new GenerationCache<number>(10_000)
  const refused = new GenerationCache<string>(10_000)

  const isAlive = (session: Session) => clock.now() < diesAt(session, config)
  const isFresh = (session: Session) => isAlive(session) && clock.now() < renewsAt(session, config)

  async function current(kept: KeptSession): Promise<Session | undefined> {
    if (isFresh(kept.session)) return kept.session
    const latest = await store.latest(kept)
    if (!latest || isFresh(latest)) return latest
    if (!canRenew(latest)) return isAlive(latest) ? latest : undefined
    if (!latest.refreshToken && !isAlive(latest)) return undefined
    if (latest.refreshToken && refused.get(kept.id) === latest.refreshToken) return undefined
    if (isAlive(latest) && clock.now() < (restingUntil.get(kept.id) ?? 0)) return latest
    const pending = renewing.get(kept.id) ?? renew(kept).finally(() => renewing.delete(kept.id))
    renewing.set(kept.id, pending)
    return pending
  }

  /** Refreshes, or waits for the replica that does and takes what it got. */
  async function renew(kept: KeptSession): Promise<Session | undefined> {
    let latest: Session | undefined = kept.session
    for (let look = 0; look < looks; look += 1) {
      const lease = await store.lease(kept)
      if (lease) return underLease(lease, kept)
      await pause(lookEvery)
      latest = await store.latest(kept)
      if (!latest || isFresh(latest)) return latest
    }
    if (isAlive(latest)) return latest
    throw new GatehouseError('provider_unavailable', 'another replica has been refreshing the session for too long')
  }

  async function underLease(lease: Lease, kept: KeptSession): Promise<Session | undefined> {
    const extending = setInterval(() => lease.extend().catch(() => false), leaseTerm / 3)
    try {
      const latest = await store.latest(kept)
      return !latest || isFresh(latest) ? latest : await refresh(kept, latest)
    } finally {
      clearInterval(extending)
      await lease.release().catch(() => undefined) // it ends by itself
    }
  }

  async function refresh(kept: KeptSession, session: Session): Promise<Session | undefined> {
    try {
      const fresh = await provider.refresh(session)
      await store.replace(kept, fresh)
      return isAlive(fresh) ? fresh : undefined
    } catch (cause) {
      const code = cause instanceof GatehouseError ? cause.code : 'unknown'
      log.info('session not refreshed', { reason: code, stillAlive: isAlive(session), cause })
      if (code === 'grant_refused') return afterRefusal(kept, session)
      restingUntil.set(kept.id, clock.now() + retryAfter)
      if (isAlive(session)) return session
      if (code === 'provider_unavailable' || code === 'store_unavailable') throw cause
      return undefined
    }
  }

  /**
   * The provider has ended the session (signed out, disabled, removed), so it is over here, too, whatever its ID token
   * says; unless an oauth2-proxy beside us, whose lock lasts two seconds, has just used the same refresh token.
   */
  async function afterRefusal(kept: KeptSession, { refreshToken }: Session): Promise<Session | undefined> {
    for (let look = 0; look < (store.isShared ? looksAfterRefusal : 1); look += 1) {
      if (look > 0) await pause(lookEvery)
      const latest = await store.latest(kept)
      if (latest && latest.refreshToken !== refreshToken) return isAlive(latest) ? latest : undefined
    }
    if (refreshToken) refused.set(kept.id, refreshToken)
    await store.end(kept)
    return undefined
  }

  return {
    current,
    freshUntil: (id, session) => {
      const renewal = Math.max(renewsAt(session, config), restingUntil.get(id) ?? 0)
      return Math.min(diesAt(session, config), renewal)
    },
  }
}

function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds))
}
