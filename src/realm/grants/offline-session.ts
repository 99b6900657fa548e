import { OAuthError } from '../../oauth/errors.ts'
import type { Client } from '../model.ts'
import type { Realm } from '../realm.ts'
import { rolesOfUser } from '../roles.ts'
import type { Session } from '../session.ts'
import type { GrantedScope } from '../tokens/scope.ts'
import type { User } from '../user.ts'

/**
 * The session tokens are issued for: with `offline_access` one that outlives the browser's (OpenID Connect Core §11),
 * started under the same id. @throws OAuthError `not_allowed` for a user without the role `offline_access`.
 */
export async function offlineSession({
  realm,
  client,
  user,
  scope,
  session,
  acr,
  address,
}: {
  realm: Realm
  client: Client
  user: User
  scope: GrantedScope
  session: Session
  acr: string
  address: string
}): Promise<Session> {
  if (!scope.names.includes('offline_access')) return session
  const mayStay = rolesOfUser(realm.model, user).some(
    (role) => role.clientId === undefined && role.name === 'offline_access',
  )
  if (!mayStay) throw new OAuthError('not_allowed', 'Offline tokens not allowed for the user or client')
  const offline = await realm.sessions.start({
    id: session.id,
    offline: true,
    userId: user.id,
    authenticatedAt: session.authenticatedAt,
    clientAddress: address,
  })
  await realm.sessions.attachClient(offline, client.id, acr)
  return offline
}
