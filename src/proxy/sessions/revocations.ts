import { createHash } from 'node:crypto'
import type { Collection, Records } from '../../store/records.ts'
import type { Session } from '../session.ts'

/** Remembers sessions and tokens that were ended before their time. */
export interface Revocations {
  revoke(ids: readonly string[], until: number): Promise<void>
  isRevoked(id: string): Promise<boolean>
}

/** A revoked session or token is a record that lives as long as it could have been used. */
export function openRevocations(records: Records): Revocations {
  const revoked: Collection<true> = records.collection('proxy-revoked')
  return {
    async revoke(ids, until) {
      for (const id of ids) await revoked.create(id, true, until)
    },
    isRevoked: async (id) => (await revoked.find(id)) !== undefined,
  }
}

/**
 * What names a session for good: its login's nonce, which a refresh keeps, else its cookie's text (sessions of
 * oauth2-proxy always have a nonce).
 */
export function sessionId(session: Session, cookieText: string): string {
  return session.nonce ? `n:${digest(session.nonce)}` : `c:${digest(cookieText)}`
}

/** What names a bearer token. */
export function tokenId(token: string): string {
  return `t:${digest(token)}`
}

function digest(value: string | Uint8Array): string {
  return createHash('sha256').update(value).digest('base64url')
}
