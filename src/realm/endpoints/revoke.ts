import { readForm } from '../../http/forms.ts'
import { OAuthError } from '../../oauth/errors.ts'
import type { Realm } from '../realm.ts'
import { authenticateClient } from '../tokens/client-authentication.ts'
import { verifyAccessToken, verifyOwnToken } from '../tokens/verify-token.ts'
import type { Call } from './endpoint.ts'

/**
 * `protocol/openid-connect/revoke` (RFC 7009): a refresh token takes everything with it that the client got from its
 * session; an access token dies alone. A token nobody knows is a 200 with an error in it, as Keycloak answers.
 */
export async function revoke({ request, calledBy }: Call, realm: Realm): Promise<Response> {
  const form = await readForm(request)
  const client = authenticateClient(realm, request, form)
  calledBy(client)
  const token = form.get('token')
  if (token === null) throw new OAuthError('invalid_request', 'Token not provided')
  const refresh = verifyOwnToken(realm, token, ['Refresh', 'Offline'])
  const claims = refresh.kind === 'ok' ? refresh.claims : await verifyAccessToken(realm, token)
  if (!claims) throw new OAuthError('invalid_token', 'Invalid token', { status: 200 })
  if (claims['azp'] !== client.clientId) throw new OAuthError('invalid_client', 'Unmatching clients')
  if (refresh.kind === 'ok') await realm.sessions.endForClient(String(claims['sid']), client.id)
  else await realm.revokedTokens.create(String(claims['jti']), true, Number(claims['exp']) * 1000)
  return new Response(null)
}
