import { createHash } from 'node:crypto'
import type { CodeChallenge } from '../../oauth/pkce.ts'

/** What an authorization code stands for. */
export interface AuthorizationCode {
  /** The client's row id. */
  readonly clientId: string
  readonly sessionId: string
  /** As the authorization request sent it; the token request must repeat it (RFC 6749 §4.1.3). */
  readonly redirectUri?: string
  readonly scope?: string
  readonly nonce?: string
  readonly challenge?: CodeChallenge
}

/** Codes are kept under their hash, so that the database alone redeems none. */
export function codeRecordId(code: string): string {
  return createHash('sha256').update(code).digest('base64url')
}
