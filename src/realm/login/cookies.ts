import { createHash } from 'node:crypto'
import { cookieValue, cookieValues, formatSetCookie } from '../../http/cookies.ts'
import { epochSeconds } from '../../kit/clock.ts'
import { randomText, randomUuid } from '../../kit/random.ts'
import { signJwt } from '../../tokens/sign.ts'
import type { Realm } from '../realm.ts'
import type { Session } from '../session.ts'
import { verifyOwnToken } from '../tokens/verify-token.ts'

/** A cookie of this realm: `SameSite=None; Secure` on https, so that it also reaches us in frames and form posts; `Lax` on http. */
export function realmCookie(
  realm: Realm,
  name: string,
  value: string,
  { maxAgeSeconds, httpOnly = true }: { maxAgeSeconds?: number | undefined; httpOnly?: boolean } = {},
): string {
  return formatSetCookie(name, value, {
    path: `${realm.path}/`,
    httpOnly,
    secure: realm.isSecure,
    sameSite: realm.isSecure ? 'None' : 'Lax',
    ...(maxAgeSeconds === undefined ? {} : { maxAgeSeconds }),
  })
}

/** What a browser is known by before anyone signs in: a random value, of which login forms hold the hash. */
export function browserId(request: Request): string | undefined {
  const value = cookieValue(request.headers.get('cookie'), 'AUTH_SESSION_ID')
  return value !== undefined && /^[\w-]{20,200}$/.test(value) ? value : undefined
}

/** The form of a browser id that may be shown. */
export function browserHash(id: string): string {
  return createHash('sha256').update(id).digest('base64url')
}

/** A new browser id, with the cookie that carries it. */
export function newBrowserId(realm: Realm): { id: string; cookie: string } {
  const id = randomText(realm.random, 24)
  return { id, cookie: realmCookie(realm, 'AUTH_SESSION_ID', id) }
}

/** The cookies of a signed-in browser (Keycloak's KEYCLOAK_IDENTITY and KEYCLOAK_SESSION). */
export async function sessionCookies(realm: Realm, session: Session): Promise<string[]> {
  const iat = epochSeconds(realm.clock)
  const claims = {
    exp: Math.floor(session.endsAt / 1000),
    iat,
    jti: randomUuid(realm.random),
    iss: realm.issuer,
    sub: session.userId,
    typ: 'Serialized-ID',
    sid: session.id,
    state_checker: randomText(realm.random),
  }
  const identity = await signJwt(claims, realm.ownKey, { typ: 'JWT' })
  const lifetime = claims.exp - iat
  const kept = session.rememberMe ? { maxAgeSeconds: lifetime } : {}
  const shown = createHash('sha256').update(session.id).digest('base64url')
  return [
    realmCookie(realm, 'KEYCLOAK_IDENTITY', identity, kept),
    realmCookie(realm, 'KEYCLOAK_SESSION', shown, { maxAgeSeconds: lifetime, httpOnly: false }),
  ]
}

/** Removes everything that says a browser is signed in. */
export function clearedSessionCookies(realm: Realm): string[] {
  const names = ['KEYCLOAK_IDENTITY', 'KEYCLOAK_SESSION', 'KC_RESTART']
  return names.map((name) => realmCookie(realm, name, '', { maxAgeSeconds: 0 }))
}

/** The live session of the browser that sent this request; cookies a sibling host has planted do not hide it. */
export async function browserSession(realm: Realm, request: Request): Promise<Session | undefined> {
  for (const cookie of cookieValues(request.headers.get('cookie'), 'KEYCLOAK_IDENTITY')) {
    const session = await sessionOf(realm, cookie)
    if (session) return session
  }
  return undefined
}

async function sessionOf(realm: Realm, cookie: string): Promise<Session | undefined> {
  const token = verifyOwnToken(realm, cookie, ['Serialized-ID'])
  if (token.kind !== 'ok') return undefined
  const session = await realm.sessions.find(String(token.claims['sid']))
  if (!session || session.userId !== token.claims['sub']) return undefined
  const user = await realm.users.load(session.userId)
  return user?.enabled ? session : undefined
}
