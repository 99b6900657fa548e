import { readForm } from '../../http/forms.ts'
import { redirectTo, withQuery } from '../../oauth/responses.ts'
import type { JsonObject } from '../../tokens/jwt.ts'
import { checkRefreshToken } from '../grants/refresh-token.ts'
import { browserSession, clearedSessionCookies } from '../login/cookies.ts'
import type { Client } from '../model.ts'
import { PageError } from '../page-error.ts'
import { confirmLogoutPage, loggedOutPage } from '../pages/info-pages.ts'
import { lookOf } from '../pages/look.ts'
import { pageAnswer } from '../pages/page-answer.ts'
import type { Realm } from '../realm.ts'
import { isRegisteredLogoutRedirect } from '../redirect-uris.ts'
import { authenticateClient } from '../tokens/client-authentication.ts'
import { verifyIdToken } from '../tokens/verify-token.ts'
import type { Call } from './endpoint.ts'

/** Where the browser goes when it has been signed out. */
interface AfterLogout {
  readonly redirectUri?: string
  readonly state?: string
}

/** A sign-out that waits for the user's word, sealed into the page that asks. */
interface PendingLogout extends AfterLogout {
  readonly sessionId: string
}

/** `protocol/openid-connect/logout` (LogoutEndpoint): RP-initiated, or by a client with the refresh token. */
export async function logout(call: Call, realm: Realm): Promise<Response> {
  const parameters = call.request.method === 'POST' ? await readForm(call.request) : call.url.searchParams
  const refreshToken = call.request.method === 'POST' ? parameters.get('refresh_token') : null
  if (refreshToken !== null) return logoutByToken(call, realm, { form: parameters, refreshToken })

  const hint = await checkHint(parameters, realm)
  const clientId = hint === undefined ? parameters.get('client_id') : String(hint['azp'])
  const client = clientId === null ? undefined : realm.model.clients.get(clientId)
  const after = checkRedirect(parameters, client, clientId)
  const session = await browserSession(realm, call.request)
  const isMeant = hint !== undefined && client?.attributes['logout.confirmation.enabled'] !== 'true'
  // Somebody else's hint must not sign this browser out: only the session's own one speaks for its user.
  if (session && !(isMeant && hint['sid'] === session.id)) return askFirst(realm, { ...after, sessionId: session.id })
  const sid = session?.id ?? hint?.['sid']
  if (typeof sid === 'string') await endSession(realm, sid)
  return loggedOut(realm, after)
}

/** `logout/logout-confirm`: the user said yes. */
export async function confirmLogout({ request }: Call, realm: Realm): Promise<Response> {
  const form = await readForm(request)
  const pending = realm.logoutSealer.open(form.get('session_code') ?? '') as PendingLogout | undefined // sealed below
  const session = await browserSession(realm, request)
  if (!pending) {
    if (session) return askFirst(realm, { sessionId: session.id })
    return loggedOut(realm, {})
  }
  if (session && session.id !== pending.sessionId) return askFirst(realm, { ...pending, sessionId: session.id })
  await endSession(realm, pending.sessionId)
  return loggedOut(realm, pending)
}

async function logoutByToken(
  { request, calledBy }: Call,
  realm: Realm,
  { form, refreshToken }: { form: URLSearchParams; refreshToken: string },
): Promise<Response> {
  const client = authenticateClient(realm, request, form)
  calledBy(client)
  const claims = checkRefreshToken(realm, client, refreshToken)
  await endSession(realm, String(claims['sid']), claims['typ'] === 'Offline')
  return new Response(null, { status: 204, headers: { 'cache-control': 'no-cache' } })
}

async function endSession(realm: Realm, sessionId: string, isOffline = false): Promise<void> {
  await realm.sessions.end(sessionId, isOffline)
  await realm.clientLogout.tell()
  realm.log.info('signed out', { sessionId })
}

/** The claims of the hint: genuine and of the named client; that it has expired does not matter (RP-Initiated Logout §2). */
async function checkHint(parameters: URLSearchParams, realm: Realm): Promise<JsonObject | undefined> {
  const token = parameters.get('id_token_hint')
  if (token === null || token === '') return undefined
  const claims = await verifyIdToken(realm, token)
  const named = parameters.get('client_id')
  if (!claims || (named !== null && named !== claims['azp'])) throw new PageError('Invalid parameter: id_token_hint')
  return claims
}

function checkRedirect(parameters: URLSearchParams, client: Client | undefined, clientId: string | null): AfterLogout {
  const redirectUri = parameters.get('post_logout_redirect_uri')
  if (redirectUri === null || redirectUri === '') return {}
  if (clientId === null) throw new PageError('Missing parameters: id_token_hint')
  if (!client || !isRegisteredLogoutRedirect(redirectUri, client)) {
    throw new PageError('Invalid redirect uri', { detail: `got \`${redirectUri}\` for client \`${clientId}\`` })
  }
  const state = parameters.get('state')
  return { redirectUri, ...(state === null || state === '' ? {} : { state }) }
}

function askFirst(realm: Realm, pending: PendingLogout): Promise<Response> {
  const sessionCode = realm.logoutSealer.seal(pending, 1800 * 1000)
  const action = `${realm.issuer}/protocol/openid-connect/logout/logout-confirm`
  return pageAnswer(confirmLogoutPage({ action, sessionCode, ...lookOf(realm) }))
}

async function loggedOut(realm: Realm, { redirectUri, state }: AfterLogout): Promise<Response> {
  const response =
    redirectUri === undefined
      ? await pageAnswer(loggedOutPage(lookOf(realm)))
      : redirectTo(state === undefined ? redirectUri : withQuery(redirectUri, { state }))
  for (const cookie of clearedSessionCookies(realm)) response.headers.append('set-cookie', cookie)
  return response
}
