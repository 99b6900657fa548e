import { createHash } from 'node:crypto'
import type { Records } from '../store/records.ts'

/** A session at an identity provider, by its own names. */
export interface UpstreamSession {
  /** Absent where the provider does not name its sessions. */
  readonly sid?: string
  readonly subject: string
}

/** Which of the broker's sessions came of which session, and which user, at an identity provider. */
export interface UpstreamSessions {
  /** The names under which a broker session is found again; keep them with it. */
  keysOf(connectorId: string, session: UpstreamSession): readonly string[]
  add(key: string, sid: string, expiresAt: number): Promise<void>
  /** Keeps what is known under a key for longer. */
  extend(key: string, expiresAt: number): Promise<void>
  remove(key: string, sid: string): Promise<void>
  /** The broker's sessions of one upstream session, or of all those of a user. */
  find(connectorId: string, named: Partial<UpstreamSession>): Promise<readonly string[]>
}

/** Sign-ins of one user that a sign-out without a session reaches; older ones end with their tokens. */
const sessionsPerKey = 100

/** Opens the index over `records`. */
export function openUpstreamSessions(records: Records): UpstreamSessions {
  const sids = records.collection<readonly string[]>('broker-upstream-sessions')
  const keyOf = (connectorId: string, kind: 'sid' | 'sub', value: string) =>
    createHash('sha256').update(`${connectorId}\0${kind}\0${value}`).digest('base64url')

  return {
    keysOf: (connectorId, { sid, subject }) => [
      ...(sid === undefined ? [] : [keyOf(connectorId, 'sid', sid)]),
      keyOf(connectorId, 'sub', subject),
    ],
    async add(key, sid, expiresAt) {
      if (await sids.create(key, [sid], expiresAt)) return
      const added = (old: readonly string[]) => [...old.filter((one) => one !== sid), sid].slice(-sessionsPerKey)
      if (!(await sids.update(key, added, expiresAt))) await sids.create(key, [sid], expiresAt)
    },
    async extend(key, expiresAt) {
      await sids.update(key, (old) => old, expiresAt)
    },
    async remove(key, sid) {
      const left = await sids.update(key, (old) => old.filter((one) => one !== sid))
      if (left?.length === 0) await sids.delete(key)
    },
    async find(connectorId, { sid, subject }) {
      if (sid !== undefined) return (await sids.find(keyOf(connectorId, 'sid', sid))) ?? []
      return subject === undefined ? [] : ((await sids.find(keyOf(connectorId, 'sub', subject))) ?? [])
    },
  }
}
