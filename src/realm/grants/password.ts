import { OAuthError } from '../../oauth/errors.ts'
import { checkPassword } from '../passwords/check-password.ts'
import { grantScope, isValidScope } from '../tokens/scope.ts'
import type { GrantRequest } from './grant.ts'
import { offlineSession } from './offline-session.ts'

/** `password` (ResourceOwnerPasswordCredentialsGrantType), for clients with direct access grants. */
export async function password({ realm, client, form, address }: GrantRequest) {
  if (!client.directAccessGrantsEnabled) {
    throw new OAuthError('unauthorized_client', 'Client not allowed for direct access grants')
  }
  const asked = form.get('scope') ?? undefined
  if (asked !== undefined && !isValidScope(client, asked))
    throw new OAuthError('invalid_scope', `Invalid scopes: ${asked}`)
  const username = form.get('username')
  if (username === null) throw new OAuthError('invalid_request', 'Missing parameter: username', { status: 401 })
  const outcome = await checkPassword(realm, { username, password: form.get('password') ?? '', address })
  if (outcome.kind !== 'right') {
    const reason = outcome.kind === 'wrong' ? outcome.reason : outcome.kind
    realm.log.info('sign-in refused', { clientId: client.clientId, address, reason })
    throw new OAuthError('invalid_grant', outcome.kind === 'disabled' ? 'Account disabled' : 'Invalid user credentials')
  }
  const pending = [...outcome.user.requiredActions, ...outcome.secondFactors]
  if (pending.length > 0) {
    throw new OAuthError('invalid_grant', 'Account is not fully set up', { detail: `pending: ${pending.join(', ')}` })
  }
  const { user } = outcome
  const scope = grantScope(client, asked)
  const online = await realm.sessions.start({ userId: user.id, clientAddress: address })
  await realm.sessions.attachClient(online, client.id, '1')
  realm.log.info('signed in', { clientId: client.clientId, address, userId: user.id })
  const session = await offlineSession({ realm, client, user, scope, session: online, acr: '1', address })
  return { mark: 'ro' as const, client, user, scope, session, acr: '1' }
}
