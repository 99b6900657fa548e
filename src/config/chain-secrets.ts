import { createHmac } from 'node:crypto'

/** Secrets made once and kept by the caller, so that a restart finds the same ones. */
export interface ChainSecrets {
  /** Everything that has no secret of its own is derived from this one. */
  readonly state: string
  /** oauth2-proxy's `cookie_secret`: 32 bytes, base64url. */
  readonly cookie: string
  /** Client secrets by client id. */
  readonly clients: Readonly<Record<string, string>>
}

/** The secret of a client: its own, or one derived for it (HMAC-SHA256, base64url) that stays the same. */
export function clientSecretOf({ state, clients }: ChainSecrets, clientId: string): string {
  const own = Object.hasOwn(clients, clientId) ? clients[clientId] : undefined
  return own ?? createHmac('sha256', state).update(`gatehouse client secret\n${clientId}`).digest('base64url')
}
