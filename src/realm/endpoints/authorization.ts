import { readForm } from '../../http/forms.ts'
import {
  AuthorizationError,
  type AuthorizationRequest,
  checkAuthorizationRequest,
} from '../login/authorization-request.ts'
import { authorizationErrorResponse } from '../login/authorization-response.ts'
import { completeLogin, needsAuthentication } from '../login/complete-login.ts'
import { browserSession } from '../login/cookies.ts'
import { loginForm } from '../login/login-form.ts'
import { PageError } from '../page-error.ts'
import type { Realm } from '../realm.ts'
import type { Call } from './endpoint.ts'

/** `protocol/openid-connect/auth`: a signed-in browser goes back with a code, any other gets the login form. */
export async function authorization(call: Call, realm: Realm): Promise<Response> {
  // A POST is read from its body alone, as Keycloak does.
  const parameters = call.request.method === 'POST' ? await readForm(call.request) : call.url.searchParams
  try {
    return await answer(checkAuthorizationRequest(parameters, realm), call, realm)
  } catch (error) {
    if (!(error instanceof AuthorizationError)) throw error
    const { target, code, message } = error
    realm.log.info('authorization request refused', { error: code, description: message })
    return authorizationErrorResponse(realm, target, { error: code, description: message })
  }
}

async function answer(request: AuthorizationRequest, { request: http }: Call, realm: Realm): Promise<Response> {
  if (request.prompts.join() === 'create') throw new PageError('Registration not allowed')
  const session = await browserSession(realm, http)
  if (session && !needsAuthentication(realm, session, request, realm.clock.now())) {
    return completeLogin(realm, { request, session: await realm.sessions.touch(session), acr: '0' })
  }
  if (request.prompts.includes('none')) throw new AuthorizationError('login_required', '', request)
  return loginForm(realm, http, { authorization: request })
}
