import { createHmac } from 'node:crypto'
import type { Clock } from '../kit/clock.ts'
import { isEqualSecret } from '../oauth/pkce.ts'
import { never, type Records } from '../store/records.ts'
import type { BrokerConfig } from './config.ts'
import type { Identity } from './connectors/connector.ts'
import { packPair, unpackPair } from './protobuf-pair.ts'

/** All refresh tokens of one sign-in of one client: the newest works, an older one betrays a copy. */
export interface RefreshFamily {
  readonly clientId: string
  readonly connectorId: string
  readonly scopes: readonly string[]
  readonly nonce: string
  readonly identity: Identity
  readonly connectorData?: string
  readonly sid?: string
  /** How often the token has been rotated. */
  readonly generation: number
  readonly createdAt: number
  readonly lastUsed: number
}

/** A presented refresh token: the family it is of, and what it is worth. */
export type PresentedToken =
  | { readonly kind: 'unknown' }
  | { readonly kind: 'expired'; readonly id: string; readonly family: RefreshFamily }
  /** An older token of a family, and so soon after the rotation that it may be a race. */
  | { readonly kind: 'late' | 'replayed'; readonly id: string; readonly family: RefreshFamily }
  /** `isReuse`: within the reuse interval; the current token is given back and nothing is rotated. */
  | { readonly kind: 'good'; readonly id: string; readonly family: RefreshFamily; readonly isReuse: boolean }

/** What starts a family. */
export type NewFamily = Omit<RefreshFamily, 'generation' | 'createdAt' | 'lastUsed'>

/** Refresh tokens with rotation (dex server/refreshhandlers.go), one family per sign-in. */
export interface RefreshFamilies {
  /** The first token; `undefined` where a family of this id was revoked before it began. */
  start(id: string, family: NewFamily): Promise<string | undefined>
  look(token: string): Promise<PresentedToken>
  /** The family's current token. */
  tokenOf(id: string, family: RefreshFamily): string
  /**
   * Counts a use: rotates the token and keeps what the connector said. `undefined` where the family was revoked or
   * another replica was faster.
   */
  use(
    id: string,
    used: RefreshFamily,
    renewed: Pick<RefreshFamily, 'identity' | 'connectorData'>,
  ): Promise<RefreshFamily | undefined>
  /** When a family used now will have ended at the latest. */
  latestEnd(): number
  /** Ends the family, or keeps it from ever beginning. */
  revoke(id: string): Promise<void>
}

type Policy = BrokerConfig['expiry']['refreshTokens']

/** An old token this soon after a rotation is refused without revoking the family: two tabs, not a thief. */
const raceWindow = 10_000
/** How long a revoked family keeps its name: longer than a code whose redemption could begin it. */
const revokedGrace = 3_600_000
/** How long an expired family is still known, so that its client is told so. */
const expiredGrace = 7 * 86_400_000

/**
 * Opens the families. No token is stored: each one is made from the family's id and generation under a key of `secret`,
 * so that an older one is known for what it is, a forged one proves nothing, and the current one can be given again.
 */
export function openRefreshFamilies({
  records,
  secret,
  policy,
  clock,
}: {
  records: Records
  secret: string
  policy: Policy
  clock: Clock
}): RefreshFamilies {
  const families = records.collection<RefreshFamily | 'revoked'>('broker-refresh')
  const secretOf = (id: string, generation: number) =>
    `${generation}.${createHmac('sha256', secret).update(`gatehouse refresh\0${id}\0${generation}`).digest('base64url')}`
  const tokenOf = (id: string, { generation }: RefreshFamily) => packPair(id, secretOf(id, generation))
  const expiresAt = (family: Pick<RefreshFamily, 'createdAt' | 'lastUsed'>) => {
    const end = endOf(family, policy)
    return end === Number.POSITIVE_INFINITY ? never : end + expiredGrace
  }

  return {
    tokenOf,
    latestEnd: () => expiresAt({ createdAt: clock.now(), lastUsed: clock.now() }),
    async start(id, fresh) {
      const now = clock.now()
      const family = { ...fresh, generation: 0, createdAt: now, lastUsed: now }
      return (await families.create(id, family, expiresAt(family))) ? tokenOf(id, family) : undefined
    },
    async look(token) {
      const [id, presented] = unpackPair(token) ?? ['', '']
      const family = await families.find(id)
      if (!family || family === 'revoked') return { kind: 'unknown' }
      const generation = /^\d{1,9}\./.test(presented) ? Number.parseInt(presented, 10) : Number.NaN
      if (!(generation <= family.generation)) return { kind: 'unknown' }
      if (!isEqualSecret(presented, secretOf(id, generation))) return { kind: 'unknown' }
      return judge({ id, family, generation }, { policy, now: clock.now() })
    },
    async use(id, used, { identity, connectorData }) {
      const now = clock.now()
      const next: RefreshFamily = {
        ...used,
        identity,
        ...(connectorData === undefined ? {} : { connectorData }),
        generation: policy.disableRotation ? used.generation : used.generation + 1,
        lastUsed: now,
      }
      let isOurs = false
      const standing = await families.update(
        id,
        (old) => {
          isOurs = old !== 'revoked' && old.generation === used.generation
          return isOurs ? next : undefined
        },
        expiresAt(next),
      )
      return isOurs && standing !== 'revoked' ? standing : undefined
    },
    async revoke(id) {
      const mark = () => families.create(id, 'revoked', clock.now() + revokedGrace)
      if (await mark()) return
      await families.delete(id)
      await mark()
    },
  }
}

function judge(
  { id, family, generation }: { id: string; family: RefreshFamily; generation: number },
  { policy, now }: { policy: Policy; now: number },
): PresentedToken {
  const isReuse = policy.reuseInterval > 0 && now <= family.lastUsed + policy.reuseInterval
  const age = family.generation - generation
  if (age > 0 && !(isReuse && age === 1)) {
    const isRace = age === 1 && now <= family.lastUsed + raceWindow
    return { kind: isRace ? 'late' : 'replayed', id, family }
  }
  if (now > endOf(family, policy)) return { kind: 'expired', id, family }
  return { kind: 'good', id, family, isReuse }
}

/** When the family's tokens stop working; 0 switches a limit off. */
function endOf(
  { createdAt, lastUsed }: Pick<RefreshFamily, 'createdAt' | 'lastUsed'>,
  { absoluteLifetime, validIfNotUsedFor }: Policy,
): number {
  const limit = (from: number, duration: number) => (duration === 0 ? Number.POSITIVE_INFINITY : from + duration)
  return Math.min(limit(createdAt, absoluteLifetime), limit(lastUsed, validIfNotUsedFor))
}
