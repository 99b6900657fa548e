import { hash } from 'node:crypto'
import { setImmediate as nextTurn } from 'node:timers/promises'
import type { Clock } from '../kit/clock.ts'
import type { Log } from '../kit/log.ts'
import type { Journal } from '../store/journal.ts'
import type { Records } from '../store/records.ts'
import type { JsonObject } from '../tokens/jwt.ts'

/** The names a session or a token goes by, of which none is a secret; what is ended by one of them is ended. */
export interface SessionNames {
  readonly ids: readonly string[]
  /** Its user, by whom all sessions can be ended at once. */
  readonly subject?: string
  /** When it began, milliseconds since the epoch. */
  readonly since: number
}

/**
 * What has ended: whatever goes by one of these names and began no later than the second of `upTo` (milliseconds since
 * the epoch). A session that its provider goes on with after that is not denied by its old name.
 */
export interface Ending {
  readonly names: readonly string[]
  readonly upTo: number
}

/**
 * Sessions that ended before their tokens did. Every part that believes a token by its signature asks here, too, and is
 * answered from memory.
 */
export interface EndedSessions {
  /** Remembered until `until` (milliseconds since the epoch), when there is nothing left to be believed. */
  end(ending: Ending, until: number): Promise<void>
  /** By what is known here: what another replica ended is a second late where `watch` runs. */
  isEnded(names: SessionNames): boolean
  /** By what any replica knows; rejects where their store does not answer. For whoever is to be believed anew. */
  hasEnded(names: SessionNames): Promise<boolean>
  /** Called after something has ended, here or on another replica; answers how to stop that. */
  onEnded(listener: () => void): () => void
  /** Learns by itself what other replicas end, from now on; answers how to stop that. */
  watch(): () => void
}

const watchInterval = 1000
/** After so many endings those that are over are forgotten. */
const forgetEvery = 1000

/** Opens the sessions that have ended, one memory for everyone on the same `records`. */
export function openEndedSessions({
  records,
  clock,
  log,
}: {
  records: Records
  clock: Clock
  log: Log
}): EndedSessions {
  const journal: Journal<Ending> = records.journal('ended-sessions')
  const known = new Map<string, { readonly upTo: number; readonly until: number }>()
  const listeners = new Set<() => void>()
  let position = 0
  let reading: Promise<void> | undefined
  let learned = 0

  function learn({ names, upTo }: Ending, until: number): void {
    for (const name of names) {
      const before = known.get(name)
      known.set(name, { upTo: Math.max(upTo, before?.upTo ?? 0), until: Math.max(until, before?.until ?? 0) })
    }
    learned += 1
    if (learned % forgetEvery === 0) forgetOver()
  }

  function forgetOver(): void {
    for (const [name, { until }] of known) if (until <= clock.now()) known.delete(name)
  }

  async function readJournal(): Promise<void> {
    const lines = await journal.readAfter(position)
    for (const line of lines) {
      learn(line.entry, line.expiresAt)
      position = line.position
    }
    if (lines.length > 0) tell()
  }

  /** One reading for all who ask in the same turn of the event loop. */
  function refresh(): Promise<void> {
    reading ??= nextTurn()
      .then(readJournal)
      .finally(() => {
        reading = undefined
      })
    return reading
  }

  function tell(): void {
    for (const listener of listeners) listener()
  }

  function isEnded({ ids, subject, since }: SessionNames): boolean {
    if (known.size === 0) return false
    const isNamed = (name: string) => wholeSecond(known.get(name)?.upTo ?? -1) >= wholeSecond(since)
    return ids.some(isNamed) || (subject !== undefined && isNamed(subject))
  }

  return {
    isEnded,
    async end(ending, until) {
      learn(ending, until) // here at once, whatever becomes of the store
      tell()
      await journal.append(ending, until)
    },
    async hasEnded(names) {
      await refresh()
      return isEnded(names)
    },
    onEnded(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    watch() {
      let isDown = false // one line tells of an outage, however often it is felt
      const again = async () => {
        try {
          await refresh()
          isDown = false
        } catch (cause) {
          if (!isDown) log.warn('ended sessions could not be read', { cause })
          isDown = true
        }
      }
      const timer = setInterval(() => void again(), watchInterval).unref()
      journal.onAppend?.(() => void again())
      return () => clearInterval(timer)
    },
  }
}

/** Tokens tell the time in seconds. */
function wholeSecond(milliseconds: number): number {
  return Math.floor(milliseconds / 1000)
}

/** The names of a verified token: its session's, its own, and its user's. */
export function namesOfToken(claims: JsonObject, token: string): SessionNames {
  const names = namesOfClaims(claims)
  return { ...names, ids: [...names.ids, tokenName(token)] }
}

/** The names of the session that `iss`, `sid`, `nonce`, `sub` and `iat` of a token tell of. */
export function namesOfClaims({ iss, sid, nonce, sub, iat }: JsonObject): SessionNames {
  const issuer = typeof iss === 'string' ? iss : ''
  const ids: string[] = []
  if (typeof sid === 'string') ids.push(sessionName(issuer, sid))
  if (typeof nonce === 'string' && nonce !== '') ids.push(signInName(issuer, nonce))
  return {
    ids,
    ...(typeof sub === 'string' ? { subject: subjectName(issuer, sub) } : {}),
    since: typeof iat === 'number' ? iat * 1000 : 0,
  }
}

/** What a session is called by its issuer's `sid`. */
export function sessionName(issuer: string, sid: string): string {
  return digest('sid', issuer, sid)
}

/**
 * What all tokens of one sign-in are called: by its nonce, which is its client's alone (OpenID Connect Core §3.1.2.1) and
 * which many providers keep in the tokens of a refresh.
 */
export function signInName(issuer: string, nonce: string): string {
  return digest('nonce', issuer, nonce)
}

/** What one token is called. */
export function tokenName(token: string): string {
  return digest('token', token)
}

/** What a user's sessions are called, all of them. */
export function subjectName(issuer: string, subject: string): string {
  return digest('sub', issuer, subject)
}

function digest(...parts: readonly string[]): string {
  return hash('sha256', parts.join('\0'), 'base64url')
}
