import { presentedCredentials } from '../../oauth/client-credentials.ts'
import { OAuthError } from '../../oauth/errors.ts'
import { isEqualSecret } from '../../oauth/pkce.ts'
import type { Client } from '../model.ts'
import type { Realm } from '../realm.ts'

const refusal = 'Invalid client or Invalid client credentials'

/**
 * Who is calling: a confidential client by its secret (Basic or form), a public one by its id.
 * @throws OAuthError 401 `invalid_client` for an unknown client, `unauthorized_client` for a wrong secret.
 */
export function authenticateClient(realm: Realm, request: Request, form: URLSearchParams): Client {
  const presented = presentedCredentials(request.headers.get('authorization'), form)
  const client = presented && realm.model.clients.get(presented.clientId)
  if (!client?.enabled) throw new OAuthError('invalid_client', refusal, { status: 401 })
  if (client.publicClient) return client
  const isRight = client.secret !== undefined && isEqualSecret(presented?.secret ?? '', client.secret)
  if (!isRight) throw new OAuthError('unauthorized_client', refusal, { status: 401, detail: 'wrong or missing secret' })
  return client
}
