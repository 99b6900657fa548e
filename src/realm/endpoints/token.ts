import { readForm, repeatedField } from '../../http/forms.ts'
import { OAuthError } from '../../oauth/errors.ts'
import { grants } from '../grants/index.ts'
import type { Realm } from '../realm.ts'
import { authenticateClient } from '../tokens/client-authentication.ts'
import { issueTokens } from '../tokens/issue-tokens.ts'
import type { Call } from './endpoint.ts'

/** `protocol/openid-connect/token`: grant type, client, repeated fields, grant, in Keycloak's order. */
export async function token({ request, context, calledBy }: Call, realm: Realm): Promise<Response> {
  const form = await readForm(request)
  const type = form.get('grant_type')
  if (type === null) throw new OAuthError('invalid_request', 'Missing form parameter: grant_type')
  const grant = Object.hasOwn(grants, type) ? grants[type] : undefined
  if (!grant) throw new OAuthError('unsupported_grant_type', 'Unsupported grant_type')
  const client = authenticateClient(realm, request, form)
  calledBy(client)
  if (client.bearerOnly) throw new OAuthError('invalid_client', 'Bearer-only not allowed')
  if (repeatedField(form) !== undefined) throw new OAuthError('invalid_request', 'duplicated parameter')
  const granted = await grant({ realm, client, form, address: context.clientAddress })
  const body = await issueTokens(realm, granted)
  realm.log.debug('tokens issued', { clientId: client.clientId, grant: type, userId: granted.user.id })
  return Response.json(body, { headers: { 'cache-control': 'no-store', pragma: 'no-cache' } })
}
