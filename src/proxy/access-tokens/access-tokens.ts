import { createHash } from 'node:crypto'
import { GenerationCache } from '../../kit/cache.ts'
import type { Clock } from '../../kit/clock.ts'
import type { Random } from '../../kit/random.ts'
import { type EndedSessions, type SessionNames, signInName, tokenName } from '../../oidc/ended-sessions.ts'
import type { Leases } from '../../store/leases.ts'
import type { Collection, Records } from '../../store/records.ts'
import type { Session } from '../session.ts'
import { idTokenClaims } from '../sessions/id-token-claims.ts'
import type { RefreshedStore, Refresher } from '../sessions/refresh-once.ts'
import { namesOfSession } from '../sessions/session-names.ts'
import { openUnderTicket, sealUnderTicket } from '../sessions/ticket.ts'
import type { AccessToken, TokenGrant } from './access-token.ts'
import { openTokenLists, type TokenOwner } from './token-lists.ts'
import { newAccessToken, parseAccessToken } from './token-text.ts'

/** The session behind a token, and what it is called by whoever ends what it left open. */
export interface TokenSession {
  readonly session: Session
  readonly names: SessionNames
}

/** Personal access tokens: sessions of programs, which live as long as the provider keeps the sign-in behind them. */
export interface AccessTokens {
  /** Keeps this session for a program. `text` is told once: what is kept cannot be read without it. */
  create(session: Session, grant: TokenGrant): Promise<{ readonly text: string; readonly token: AccessToken }>
  /**
   * The session behind a token, with its `scope`; `undefined` where it was revoked, has expired, or the provider has ended
   * the sign-in. @throws GatehouseError where it cannot be judged now.
   */
  find(text: string): Promise<TokenSession | undefined>
  /** The owner's tokens, newest first. */
  list(owner: TokenOwner): Promise<readonly AccessToken[]>
  /** Whether the owner had such a token. */
  revoke(owner: TokenOwner, id: string): Promise<boolean>
}

/** What is kept of a token under the hash of its id. */
interface KeptToken {
  /** The list of its owner's tokens it is on. */
  readonly owner: string
  readonly paths: readonly string[]
  /** The session, sealed under the half of the text that is kept nowhere. */
  readonly sealed: string
  readonly expiresAt: number
  /** Absent in records of before this was kept. */
  readonly idTokens?: IdTokens
}

/** The ID tokens apps were handed in the token's place: what they are called, and when the last of them ends. */
interface IdTokens {
  readonly names: readonly string[]
  /** Milliseconds since the epoch. */
  readonly until: number
}

/** How long a token's session is not looked up again, milliseconds. */
const rememberFor = 30_000
const remembered = 1000
/** How long its end is told to whoever remembers it, milliseconds; a socket may have been opened with it, too. */
const tellFor = 10 * 60_000

/** Opens the tokens. `openRefresher` keeps the sign-in behind a token alive; `firstProvider` is its id. */
export function openAccessTokens({
  records,
  leases,
  ended,
  clock,
  random,
  openRefresher,
  firstProvider,
}: {
  readonly records: Records
  readonly ended: EndedSessions
  readonly leases: Leases
  readonly clock: Clock
  readonly random: Random
  readonly openRefresher: (store: RefreshedStore) => Refresher
  readonly firstProvider: string
}): AccessTokens {
  const kept: Collection<KeptToken> = records.collection('proxy-access-tokens')
  const lists = openTokenLists({ records, firstProvider, clock })
  const known = new GenerationCache<TokenSession & { readonly until: number }>(remembered)
  const refresher = openRefresher(openTokenStore({ kept, leases, random, endToken }))

  async function endToken(id: string, ownLists?: readonly string[]): Promise<boolean> {
    const found = await kept.find(id)
    if (!found || ownLists?.includes(found.owner) === false) return false
    await kept.delete(id)
    // Whatever its provider's clock says: nothing of it counts any more, on any replica, sockets included.
    const { names, until } = found.idTokens ?? { names: [], until: 0 }
    const told = { names: [accessTokenName(id), ...names], upTo: found.expiresAt }
    await ended.end(told, Math.max(until, clock.now() + tellFor))
    await lists.remove(found.owner, id)
    return true
  }

  async function noteUse(id: string, { owner: from }: KeptToken, session: Session): Promise<void> {
    const to = lists.listOf(session)
    if (from !== to) {
      // of before providers had lists of their own, or its user has another address now
      if (await kept.update(id, (old) => ({ ...old, owner: to }))) await lists.move(id, { from, to })
    }
    await lists.noteUse(to, id)
  }

  return {
    async create(session, grant) {
      const { text, ticket } = newAccessToken(random)
      const [id, owner] = [idOf(ticket.id), lists.listOf(session)]
      const sealed = sealUnderTicket(session, ticket, random).toString('base64url')
      const { paths, expiresAt } = grant
      await kept.create(id, { owner, paths, sealed, expiresAt, idTokens: idTokensOf(session) }, expiresAt)
      const token = { ...grant, id, createdAt: clock.now() }
      await lists.add(owner, token)
      return { text, token }
    },

    async find(text) {
      const before = known.get(text)
      if (before && clock.now() < before.until) return ended.isEnded(ownNames(before)) ? undefined : before
      const ticket = parseAccessToken(text)
      const id = ticket && idOf(ticket.id)
      const found = id === undefined ? undefined : await kept.find(id)
      const session = found && ticket && openUnderTicket(Buffer.from(found.sealed, 'base64url'), ticket)
      if (!session || id === undefined) return undefined
      const current = await refresher.current({ id, text, session, endsAt: found.expiresAt })
      if (!current) return undefined
      const { refreshToken: _unneeded, ...shown } = current
      const scoped = { ...shown, scope: found.paths }
      const until = Math.min(clock.now() + rememberFor, found.expiresAt, refresher.freshUntil(id, current))
      const names = namesOfToken(id, current)
      known.set(text, { session: scoped, names, until })
      await noteUse(id, found, current)
      return ended.isEnded(ownNames({ names })) ? undefined : { session: scoped, names }
    },

    list: (owner) => lists.read(owner),
    revoke: (owner, id) => endToken(id, lists.listsOf(owner)),
  }
}

/** The records as a store of sessions, for refreshing them once over all replicas. */
function openTokenStore({
  kept,
  leases,
  random,
  endToken,
}: {
  kept: Collection<KeptToken>
  leases: Leases
  random: Random
  endToken: (id: string) => Promise<unknown>
}): RefreshedStore {
  return {
    isShared: false,
    async latest({ id, text }) {
      const ticket = parseAccessToken(text)
      const found = await kept.find(id)
      return found && ticket && openUnderTicket(Buffer.from(found.sealed, 'base64url'), ticket)
    },
    async replace({ id, text }, fresh) {
      const ticket = parseAccessToken(text)
      if (!ticket) return
      const sealed = sealUnderTicket(fresh, ticket, random).toString('base64url')
      await kept.update(id, (old) => ({ ...old, sealed, idTokens: idTokensOf(fresh) }))
    },
    async end({ id }) {
      await endToken(id)
    },
    lease: ({ id }) => leases.acquire(id),
  }
}

/**
 * What a token is called: by itself, and by its user. It outlives the sessions of others with that `sid`; what it left open
 * does not outlive an end of all its user's sessions.
 */
function namesOfToken(id: string, session: Session): SessionNames {
  return { ...namesOfSession(session, ''), ids: [accessTokenName(id)] }
}

/**
 * All ID tokens of the sign-in behind a token by their nonce, and the newest by itself, for providers that drop the nonce
 * when they renew. Never by `sid`: that may be the browser's.
 */
function idTokensOf(session: Session): IdTokens {
  const { iss, nonce, exp } = idTokenClaims(session) ?? {}
  const names = session.idToken === undefined ? [] : [tokenName(session.idToken)]
  if (typeof iss === 'string' && typeof nonce === 'string' && nonce !== '') names.push(signInName(iss, nonce))
  return { names, until: typeof exp === 'number' ? exp * 1000 : 0 }
}

/** Whether it counts is for its provider to say, with whom it is renewed, and for whoever revokes it. */
function ownNames({ names }: { readonly names: SessionNames }): SessionNames {
  return { ids: names.ids, since: names.since }
}

/** What a token is called in the names of what was opened with it. */
export function accessTokenName(id: string): string {
  return `access-token:${id}`
}

/** What a token is filed under and called by: not its own half, which the text begins with. */
function idOf(ticketId: string): string {
  return createHash('sha256').update(ticketId).digest('hex').slice(0, 24)
}
