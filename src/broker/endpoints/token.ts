import { readForm } from '../../http/forms.ts'
import type { RequestContext } from '../../http/part.ts'
import { presentedCredentials } from '../../oauth/client-credentials.ts'
import { OAuthError, oauthErrorResponse } from '../../oauth/errors.ts'
import { isEqualSecret } from '../../oauth/pkce.ts'
import type { Broker } from '../broker.ts'
import type { StaticClient } from '../config.ts'
import type { GrantedTokens, HandleGrant } from '../grant-request.ts'
import { redeemAuthorizationCode } from '../grants/authorization-code.ts'
import { signInWithPassword } from '../grants/password.ts'
import { refreshTokens } from '../grants/refresh-token.ts'
import { offeredGrants } from './discovery.ts'

/** Every grant of the token endpoint. */
const grants: Readonly<Record<string, HandleGrant>> = {
  authorization_code: redeemAuthorizationCode,
  refresh_token: refreshTokens,
  password: signInWithPassword,
}

/** `/token` (dex server/handlers.go `handleToken`): the method, the grant, the client, then the grant's own business. */
export async function handleToken(broker: Broker, request: Request, context: RequestContext): Promise<Response> {
  try {
    if (request.method !== 'POST') throw new OAuthError('invalid_request', 'method not allowed')
    const form = await readForm(request)
    const grant = selectGrant(broker, form.get('grant_type') ?? '')
    const client = authenticateClient(broker, { authorization: request.headers.get('authorization'), form })
    return tokenResponse(await grant({ broker, client, form, context }))
  } catch (error) {
    if (!(error instanceof OAuthError)) throw error
    const { code, detail, message } = error
    broker.log.info('token refused', { requestId: context.requestId, error: code, detail: detail ?? message })
    return oauthErrorResponse(error)
  }
}

function selectGrant(broker: Broker, name: string): HandleGrant {
  const grant = offeredGrants(broker.config).includes(name) ? grants[name] : undefined
  if (!grant) throw new OAuthError('unsupported_grant_type', '')
  return grant
}

/** The secret is compared for public clients too: theirs is usually empty (dex server/handlers.go). */
function authenticateClient(
  { clients }: Broker,
  { authorization, form }: { authorization: string | null; form: URLSearchParams },
): StaticClient {
  const presented = presentedCredentials(authorization, form)
  const client = clients.get(presented?.clientId ?? '')
  const isRight = isEqualSecret(presented?.secret ?? '', client?.secret ?? '')
  if (!client || !isRight) throw new OAuthError('invalid_client', 'Invalid client credentials.', { status: 401 })
  return client
}

/** Dex's members in Dex's order; `scope` is never sent. */
function tokenResponse({ accessToken, expiresIn, refreshToken, idToken }: GrantedTokens): Response {
  const body = {
    access_token: accessToken,
    token_type: 'bearer',
    expires_in: expiresIn,
    ...(refreshToken === undefined ? {} : { refresh_token: refreshToken }),
    id_token: idToken,
  }
  return Response.json(body, { headers: { 'cache-control': 'no-store', pragma: 'no-cache' } })
}
