import { hkdfSync } from 'node:crypto'

/**
 * The key that seals cookies. oidc-authservice has no secret for that, and replicas must have the same one, so it is
 * made from what only they and the provider know (HKDF, RFC 5869): the client secret, and the names it is used under.
 * Little rests on it: a session's cookie is a ticket, whose random number has to be in the store and which is sealed by
 * a key of its own; beside that it protects logins under way from other sites. Who finds that too little sets
 * `GATEHOUSE_COOKIE_SECRET`.
 */
export function derivedCookieSecret(variable: (name: string) => string): string {
  const context = JSON.stringify(['gatehouse authservice cookies', variable('OIDC_PROVIDER'), variable('CLIENT_ID')])
  const key = hkdfSync('sha256', variable('CLIENT_SECRET'), new Uint8Array(0), context, 32)
  return Buffer.from(key).toString('base64url')
}
