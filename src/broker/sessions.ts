import { createHash, timingSafeEqual } from 'node:crypto'
import type { Clock } from '../kit/clock.ts'
import { type Random, randomText } from '../kit/random.ts'
import type { LogoutNotice } from '../oidc/logout-token.ts'
import type { Collection, Records } from '../store/records.ts'
import type { AtRest } from './at-rest.ts'
import { openUpstreamSessions, type UpstreamSession } from './upstream-sessions.ts'

/** One person signed in through one connector in one browser; what a sign-out has to end. */
export interface BrokerSession {
  readonly connectorId: string
  readonly userId: string
  /** Hash of the secret half of the browser's cookie. */
  readonly secretHash: string
  /** The newest upstream ID token, sealed. */
  readonly upstreamIdToken?: string
  /** Names under which the sign-in at the identity provider leads here. */
  readonly upstreamKeys?: readonly string[]
  /** When it began, milliseconds since the epoch. */
  readonly startedAt?: number
  /** Everyone who was signed in to by it. */
  readonly clientIds?: readonly string[]
  readonly families: readonly { readonly clientId: string; readonly familyId: string }[]
}

/** A session that has just been ended: what is left to do. */
export interface EndedSession {
  readonly upstreamIdToken: string | undefined
  readonly familyIds: readonly string[]
  /** Whose session it was, and whom to tell. */
  readonly connectorId: string
  readonly userId: string
  readonly clientIds: readonly string[]
}

/** Someone who has just authenticated, and the client they want to go to. */
export interface SessionStart {
  readonly connectorId: string
  readonly userId: string
  readonly clientId: string
  readonly upstreamIdToken: string | undefined
  readonly upstreamSession: UpstreamSession | undefined
}

/** The broker's sessions. They never replace signing in (dex 2.45 has no single sign-on); they make sign-out reach. */
export interface Sessions {
  /**
   * Called when someone has just authenticated: continues this browser's session where it is the same person's, else
   * starts one. The cookie's secret is new in either case.
   */
  begin(start: SessionStart, cookies: readonly string[]): Promise<{ readonly sid: string; readonly cookie: string }>
  /** The sessions that came of what the identity provider says has ended. */
  ofUpstream(connectorId: string, notice: LogoutNotice): Promise<readonly string[]>
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
  const upstream = openUpstreamSessions(records)
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
    const upstreamIdToken = sealed === undefined ? undefined : atRest.open(sealed)
    return { upstreamIdToken, familyIds: [], connectorId: '', userId: '', clientIds: [] }
  }

  return {
    ofCookies,
    async ofUpstream(connectorId, { sid, subject, issuedAt }) {
      const named = { ...(sid === undefined ? {} : { sid }), ...(subject === undefined ? {} : { subject }) }
      const sids = await upstream.find(connectorId, named)
      if (sid !== undefined) return sids
      const found = await Promise.all(sids.map(async (one) => ({ sid: one, session: await sessions.find(one) })))
      const isMeant = ({ startedAt = 0 }: BrokerSession) => startedAt < issuedAt + 1000 // it tells the time in seconds
      return found.flatMap((one) => (one.session && isMeant(one.session) ? one.sid : []))
    },
    async begin({ connectorId, userId, clientId, upstreamIdToken, upstreamSession }, cookies) {
      const secret = randomText(random, 16)
      const upstreamKeys = upstreamSession ? upstream.keysOf(connectorId, upstreamSession) : []
      const fresh = {
        connectorId,
        userId,
        secretHash: hashOf(secret),
        upstreamKeys,
        ...(upstreamIdToken === undefined ? {} : { upstreamIdToken: atRest.seal(upstreamIdToken) }),
      }
      const found = await ofCookies(cookies)
      if (found?.session.connectorId === connectorId && found.session.userId === userId) {
        const expiresAt = found.session.families.length > 0 ? familyExpiry() : expiry()
        for (const key of upstreamKeys) await upstream.add(key, found.sid, expiresAt)
        const kept = await sessions.update(found.sid, (old) => continued(old, { ...fresh, clientId }), expiresAt)
        if (kept) return { sid: found.sid, cookie: `${found.sid}.${secret}` }
      }
      const sid = randomText(random, 16)
      for (const key of upstreamKeys) await upstream.add(key, sid, expiry())
      await sessions.create(sid, { ...fresh, startedAt: clock.now(), clientIds: [clientId], families: [] }, expiry())
      return { sid, cookie: `${sid}.${secret}` }
    },
    async addFamily(sid, family) {
      const added = await addFamily(sessions, sid, { family, expiresAt: familyExpiry() })
      if (added) for (const key of added.session.upstreamKeys ?? []) await upstream.extend(key, familyExpiry())
      return added?.dropped
    },
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
      const { upstreamIdToken, families, connectorId, userId, clientIds = [], upstreamKeys = [] } = session
      for (const key of upstreamKeys) await upstream.remove(key, sid)
      if (upstreamIdToken !== undefined) await ended.update(sid, () => ({ upstreamIdToken }))
      return {
        upstreamIdToken: upstreamIdToken === undefined ? undefined : atRest.open(upstreamIdToken),
        familyIds: families.map(({ familyId }) => familyId),
        ...{ connectorId, userId, clientIds },
      }
    },
  }
}

/** The session of someone who has authenticated once more, perhaps for another client. */
function continued(old: BrokerSession, { clientId, ...fresh }: Omit<BrokerSession, 'families'> & { clientId: string }) {
  const { families, startedAt, clientIds = [], upstreamKeys = [] } = old
  return {
    ...fresh,
    families,
    ...(startedAt === undefined ? {} : { startedAt }),
    clientIds: [...new Set([...clientIds, clientId])],
    upstreamKeys: [...new Set([...upstreamKeys, ...(fresh.upstreamKeys ?? [])])],
  }
}

async function addFamily(
  sessions: Collection<BrokerSession>,
  sid: string,
  { family, expiresAt }: { family: BrokerSession['families'][number]; expiresAt: number },
): Promise<{ session: BrokerSession; dropped: readonly string[] } | undefined> {
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
  return session && { session, dropped }
}

function hashOf(secret: string): string {
  return createHash('sha256').update(secret).digest('base64url')
}

function isEqualHash(a: string, b: string): boolean {
  return a.length === b.length && timingSafeEqual(Buffer.from(a), Buffer.from(b))
}
