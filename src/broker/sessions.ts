import { createHash, timingSafeEqual } from 'node:crypto'
import type { Clock } from '../kit/clock.ts'
import { type Random, randomText } from '../kit/random.ts'
import type { Collection, Records } from '../store/records.ts'
import type { AtRest } from './at-rest.ts'

/** One person signed in through one connector in one browser; what a sign-out has to end. */
export interface BrokerSession {
  readonly connectorId: string
  readonly userId: string
  /** Hash of the secret half of the browser's cookie. */
  readonly secretHash: string
  /** The newest upstream ID token, sealed. */
  readonly upstreamIdToken?: string
  readonly families: readonly { readonly clientId: string; readonly familyId: string }[]
}

/** A session that has just been ended: what is left to do. */
export interface EndedSession {
  readonly upstreamIdToken: string | undefined
  readonly familyIds: readonly string[]
}

/** The broker's sessions. They never replace signing in (dex 2.45 has no single sign-on); they make sign-out reach. */
export interface Sessions {
  /**
   * Called when someone has just authenticated: continues this browser's session where it is the same person's, else
   * starts one. The cookie's secret is new in either case.
   */
  begin(
    person: { connectorId: string; userId: string; upstreamIdToken: string | undefined },
    cookies: readonly string[],
  ): Promise<{ readonly sid: string; readonly cookie: string }>
  /** The live session of one of these cookie values. */
  ofCookies(cookies: readonly string[]): Promise<{ readonly sid: string; readonly session: BrokerSession } | undefined>
  /** Counts a refresh family in; `undefined` where the session has ended. Returns families that are one too many. */
  addFamily(sid: string, family: { clientId: string; familyId: string }): Promise<readonly string[] | undefined>
  /** A refresh token was used; the upstream provider may have given a newer ID token. */
  renew(sid: string, upstreamIdToken: string | undefined): Promise<void>
  hasEnded(sid: string): Promise<boolean>
  /** Ends the session for good. Asked again it tells the same, but for the families. */
  end(sid: string): Promise<EndedSession>
}

/** How many refresh families of one client a session keeps: a login more drops the oldest. */
const familiesPerClient = 10

/**
 * Opens the sessions. Times in milliseconds; `tokenLifetime` is how long a token can outlive its session. A session that
 * gave refresh tokens is kept until `familyEnd`, so that signing out always finds them.
 */
export function openSessions({
  records,
  atRest,
  lifetime,
  tokenLifetime,
  familyEnd,
  clock,
  random,
}: {
  records: Records
  atRest: AtRest
  lifetime: number
  tokenLifetime: number
  familyEnd: () => number
  clock: Clock
  random: Random
}): Sessions {
  const sessions = records.collection<BrokerSession>('broker-sessions')
  const ended = records.collection<{ readonly upstreamIdToken?: string }>('broker-ended-sessions')
  const expiry = () => clock.now() + lifetime
  const familyExpiry = () => Math.max(expiry(), familyEnd())

  const ofCookies: Sessions['ofCookies'] = async (cookies) => {
    for (const cookie of cookies) {
      const [sid = '', secret = ''] = cookie.split('.')
      const session = await sessions.find(sid)
      if (session && isEqualHash(hashOf(secret), session.secretHash)) return { sid, session }
    }
    return undefined
  }

  async function endedBefore(sid: string): Promise<EndedSession> {
    const sealed = (await ended.find(sid))?.upstreamIdToken
    return { upstreamIdToken: sealed === undefined ? undefined : atRest.open(sealed), familyIds: [] }
  }

  return {
    ofCookies,
    async begin({ connectorId, userId, upstreamIdToken }, cookies) {
      const secret = randomText(random, 16)
      const fresh = {
        connectorId,
        userId,
        secretHash: hashOf(secret),
        ...(upstreamIdToken === undefined ? {} : { upstreamIdToken: atRest.seal(upstreamIdToken) }),
      }
      const found = await ofCookies(cookies)
      if (found?.session.connectorId === connectorId && found.session.userId === userId) {
        const expiresAt = found.session.families.length > 0 ? familyExpiry() : expiry()
        const kept = await sessions.update(found.sid, ({ families }) => ({ ...fresh, families }), expiresAt)
        if (kept) return { sid: found.sid, cookie: `${found.sid}.${secret}` }
      }
      const sid = randomText(random, 16)
      await sessions.create(sid, { ...fresh, families: [] }, expiry())
      return { sid, cookie: `${sid}.${secret}` }
    },
    addFamily: (sid, family) => addFamily(sessions, sid, { family, expiresAt: familyExpiry() }),
    async renew(sid, upstreamIdToken) {
      const sealed = upstreamIdToken === undefined ? {} : { upstreamIdToken: atRest.seal(upstreamIdToken) }
      await sessions.update(sid, (old) => ({ ...old, ...sealed }), familyExpiry())
    },
    async hasEnded(sid) {
      return (await ended.find(sid)) !== undefined
    },
    async end(sid) {
      // The mark comes first: whoever redeems a code meanwhile sees it.
      await ended.create(sid, {}, clock.now() + tokenLifetime)
      const session = await sessions.find(sid)
      if (!session || !(await sessions.delete(sid))) return endedBefore(sid)
      const { upstreamIdToken, families } = session
      if (upstreamIdToken !== undefined) await ended.update(sid, () => ({ upstreamIdToken }))
      return {
        upstreamIdToken: upstreamIdToken === undefined ? undefined : atRest.open(upstreamIdToken),
        familyIds: families.map(({ familyId }) => familyId),
      }
    },
  }
}

async function addFamily(
  sessions: Collection<BrokerSession>,
  sid: string,
  { family, expiresAt }: { family: BrokerSession['families'][number]; expiresAt: number },
): Promise<readonly string[] | undefined> {
  let dropped: readonly string[] = []
  const session = await sessions.update(
    sid,
    (old) => {
      const ofClient = old.families.filter(({ clientId }) => clientId === family.clientId)
      dropped = ofClient.slice(0, Math.max(0, ofClient.length + 1 - familiesPerClient)).map(({ familyId }) => familyId)
      const kept = old.families.filter(({ familyId }) => !dropped.includes(familyId))
      return { ...old, families: [...kept, family] }
    },
    expiresAt,
  )
  return session && dropped
}

function hashOf(secret: string): string {
  return createHash('sha256').update(secret).digest('base64url')
}

function isEqualHash(a: string, b: string): boolean {
  return a.length === b.length && timingSafeEqual(Buffer.from(a), Buffer.from(b))
}
