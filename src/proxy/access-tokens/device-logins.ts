import type { Clock } from '../../kit/clock.ts'
import { type Random, randomText } from '../../kit/random.ts'
import { openStateSealer } from '../../oidc/sealed-state.ts'
import type { Collection, Records } from '../../store/records.ts'
import type { Session } from '../session.ts'
import { decodeSession, encodeSession } from '../sessions/session-bytes.ts'
import { readTokenWish, type TokenWish } from './token-wish.ts'

/** A program's request to act for someone, as the one who is to allow it sees it. */
export interface DeviceRequest {
  readonly id: string
  /** Shown at both ends, to compare: `WDJB-MJHT`. */
  readonly userCode: string
  readonly wish: TokenWish
}

/** What a program is told when it asks (RFC 8628 §3.2). */
export interface DeviceStart {
  readonly deviceCode: string
  readonly userCode: string
  /** What the link for the browser carries. */
  readonly request: string
}

/** What a program is told when it asks whether it was allowed to (RFC 8628 §3.5). */
export type DeviceOutcome =
  | { readonly kind: 'approved'; readonly session: Session; readonly wish: TokenWish }
  | { readonly kind: 'pending' | 'denied' | 'expired' | 'unknown' }

/** What somebody who held a link said to it. */
export type DeviceAnswer = 'allowed' | 'refused'

/** Logins of programs that cannot show a page: they show a link, and wait (RFC 8628). */
export interface DeviceLogins {
  /** Nothing is stored: both texts carry the request, sealed. */
  begin(wish: TokenWish): DeviceStart
  /** The request a link carries; `undefined` where it was altered or is too old. */
  read(request: string): DeviceRequest | undefined
  /** How it was answered; a link is answered once. */
  answerTo(request: DeviceRequest): Promise<DeviceAnswer | undefined>
  /** What the program is to get. @returns the answer that counts instead, where the link had one. */
  approve(request: DeviceRequest, session: Session): Promise<DeviceAnswer | undefined>
  /**
   * Anybody may refuse, so only so many refusals are kept; a program that is not told one waits until its time is over.
   * @returns the answer that counts instead, where the link had one.
   */
  deny(request: DeviceRequest): Promise<DeviceAnswer | undefined>
  /** Tells the outcome; an approval is told once. */
  redeem(deviceCode: string): Promise<DeviceOutcome>
}

/** How long a program waits for its user, in seconds. */
export const deviceCodeSeconds = 600

/** No vowels, so no words; nothing that looks like another (RFC 8628 §6.1). */
const letters = 'BCDFGHJKLMNPQRSTVWXZ'

/** Refusals kept at one time, by one process: whoever holds a link may refuse it, and links are free. */
const mostRefusals = 1000

interface Verdict {
  /** Sealed; absent for a refusal. */
  readonly session?: string
}

/** Opens the logins; `secret` seals what leaves and what is stored. */
export function openDeviceLogins({
  records,
  secret,
  clock,
  random,
}: {
  readonly records: Records
  readonly secret: string
  readonly clock: Clock
  readonly random: Random
}): DeviceLogins {
  const verdicts: Collection<Verdict> = records.collection('proxy-device-logins')
  const lifetime = deviceCodeSeconds * 1000
  const sealerFor = (purpose: string) => openStateSealer({ secret, purpose, clock, random })
  const codes = sealerFor('proxy device code')
  const links = sealerFor('proxy device link')
  const sessions = sealerFor('proxy device session')

  const refusals: number[] = []

  async function answerTo({ id }: DeviceRequest): Promise<DeviceAnswer | undefined> {
    const verdict = await verdicts.find(id)
    return verdict && (verdict.session === undefined ? 'refused' : 'allowed')
  }

  async function give(request: DeviceRequest, verdict: Verdict): Promise<DeviceAnswer | undefined> {
    const isFirst = await verdicts.create(request.id, verdict, clock.now() + lifetime)
    return isFirst ? undefined : answerTo(request)
  }

  function openSession(sealed: string): Session | undefined {
    const text = sessions.open(sealed)
    return typeof text === 'string' ? decodeSession(Buffer.from(text, 'base64')) : undefined
  }

  return {
    begin(wish) {
      const request: DeviceRequest = { id: randomText(random, 16), userCode: newUserCode(random), wish }
      const { userCode } = request
      return { deviceCode: codes.seal(request, lifetime), userCode, request: links.seal(request, lifetime) }
    },
    read: (request) => readRequest(links.open(request)),
    answerTo,
    async approve(request, session) {
      return give(request, { session: sessions.seal(Buffer.from(encodeSession(session)).toString('base64'), lifetime) })
    },
    async deny(request) {
      while ((refusals[0] ?? Number.POSITIVE_INFINITY) <= clock.now() - lifetime) refusals.shift()
      if (refusals.length >= mostRefusals) return undefined
      refusals.push(clock.now())
      return give(request, {})
    },
    async redeem(deviceCode) {
      const request = readRequest(codes.open(deviceCode))
      if (!request) return { kind: deviceCode === '' ? 'unknown' : 'expired' }
      const verdict = await verdicts.find(request.id)
      if (!verdict) return { kind: 'pending' }
      if (verdict.session === undefined) return { kind: 'denied' }
      // Of any number of askers one gets it; for the others it is as if it were over.
      const isFirst = (await verdicts.use(request.id))?.uses === 1
      const session = isFirst ? openSession(verdict.session) : undefined
      return session ? { kind: 'approved', session, wish: request.wish } : { kind: 'expired' }
    },
  }
}

function readRequest(value: unknown): DeviceRequest | undefined {
  const { id, userCode, wish } = (value ?? {}) as { readonly [key in keyof DeviceRequest]?: unknown } // sealed by us
  const known = readTokenWish(wish)
  return typeof id === 'string' && typeof userCode === 'string' && known ? { id, userCode, wish: known } : undefined
}

function newUserCode(random: Random): string {
  const picked: string[] = []
  while (picked.length < 8) {
    for (const byte of random.bytes(16)) {
      if (byte < 240 && picked.length < 8) picked.push(letters[byte % letters.length] ?? '') // 240 = 12 × 20: no bias
    }
  }
  return `${picked.slice(0, 4).join('')}-${picked.slice(4).join('')}`
}
