import { randomUuid } from '../../kit/random.ts'
import type { Client } from '../model.ts'
import { PageError } from '../page-error.ts'
import type { Realm } from '../realm.ts'
import type { Session } from '../session.ts'
import { codeRecordId } from './authorization-code.ts'
import type { AuthorizationRequest } from './authorization-request.ts'
import { authorizationResponse } from './authorization-response.ts'
import { realmCookie, sessionCookies } from './cookies.ts'

/** Whether the user must prove who they are although the browser is signed in (OpenID Connect Core §3.1.2.1). */
export function needsAuthentication(
  realm: Realm,
  session: Session,
  request: AuthorizationRequest,
  startedAt: number,
): boolean {
  const at = session.authenticatedAt ?? 0
  if (request.prompts.includes('login') && at <= startedAt) return true
  return request.maxAge !== undefined && realm.clock.now() - at > request.maxAge * 1000
}

/** Sends the browser of a signed-in user back to the client with a code. `acr`: `1` after a password, `0` by cookie. */
export async function completeLogin(
  realm: Realm,
  { request, session, acr }: { request: AuthorizationRequest; session: Session; acr: '0' | '1' },
): Promise<Response> {
  const client = realm.model.clients.get(request.clientId)
  if (!client?.enabled) throw new PageError('An error occurred, please login again through your application.')
  await realm.sessions.attachClient(session, client.id, acr)
  const code = await createCode(realm, { request, session, client })
  const names = { state: request.state, session_state: session.id, iss: realm.issuer, code }
  // Keycloak's form has its own order (OIDCRedirectUriBuilder.FormPostRedirectUriBuilder).
  const parameters =
    request.mode === 'form_post' ? { code, iss: realm.issuer, state: request.state, session_state: session.id } : names
  const response = await authorizationResponse(realm, request, parameters)
  for (const cookie of await sessionCookies(realm, session)) response.headers.append('set-cookie', cookie)
  response.headers.append('set-cookie', realmCookie(realm, 'KC_RESTART', '', { maxAgeSeconds: 0 }))
  return response
}

/** A code of Keycloak's form: a random part, the session, the client. */
async function createCode(
  realm: Realm,
  { request, session, client }: { request: AuthorizationRequest; session: Session; client: Client },
): Promise<string> {
  const code = `${randomUuid(realm.random)}.${session.id}.${client.id}`
  const lifetime = realm.model.settings.accessCodeLifespan * 1000
  const { sentRedirectUri, scope, nonce, challenge } = request
  await realm.codes.create(
    codeRecordId(code),
    {
      clientId: client.id,
      sessionId: session.id,
      ...(sentRedirectUri === undefined ? {} : { redirectUri: sentRedirectUri }),
      ...(scope === undefined ? {} : { scope }),
      ...(nonce === undefined ? {} : { nonce }),
      ...(challenge === undefined ? {} : { challenge }),
    },
    realm.clock.now() + lifetime,
  )
  return code
}
