import { OAuthError } from '../../oauth/errors.ts'
import { grantScope, isValidScope } from '../tokens/scope.ts'
import type { GrantRequest } from './grant.ts'

/** `client_credentials` (ClientCredentialsGrantType): the client acts as its service account, without a session. */
export async function clientCredentials({ realm, client, form, address }: GrantRequest) {
  if (client.publicClient) {
    throw new OAuthError('unauthorized_client', 'Public client not allowed to retrieve service account', {
      status: 401,
    })
  }
  if (!client.serviceAccountsEnabled) {
    throw new OAuthError('unauthorized_client', 'Client not enabled to retrieve service account', { status: 401 })
  }
  const asked = form.get('scope') ?? undefined
  if (asked !== undefined && !isValidScope(client, asked))
    throw new OAuthError('invalid_scope', `Invalid scopes: ${asked}`)
  const user = await realm.users.findServiceAccount(client.id)
  if (!user?.enabled)
    throw new OAuthError('invalid_request', `User 'service-account-${client.clientId}' disabled`, { status: 401 })
  const notes = { client_id: client.clientId, clientHost: address, clientAddress: address }
  return { mark: 'cc' as const, client, user, scope: grantScope(client, asked), acr: '1', notes }
}
