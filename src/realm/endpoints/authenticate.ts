import { cookieValue } from '../../http/cookies.ts'
import { readForm } from '../../http/forms.ts'
import type { AuthorizationRequest } from '../login/authorization-request.ts'
import { completeLogin, needsAuthentication } from '../login/complete-login.ts'
import { browserHash, browserId, browserSession } from '../login/cookies.ts'
import { type LoginUnderWay, loginForm } from '../login/login-form.ts'
import { pendingAction } from '../login/required-actions.ts'
import { askForNewPassword, finishSignIn } from '../login/sign-in.ts'
import { PageError } from '../page-error.ts'
import { checkPassword } from '../passwords/check-password.ts'
import type { Realm } from '../realm.ts'
import type { Session } from '../session.ts'
import type { Call } from './endpoint.ts'

const timedOut = 'Your login attempt timed out. Login will start from the beginning.'
const noCookie =
  'Restart login cookie not found. It may have expired; it may have been deleted or cookies are disabled in your browser. If cookies are disabled then enable them. Click Back to Application to login again.'

/** `login-actions/authenticate`: takes the login form. */
export async function authenticate({ request, url, context }: Call, realm: Realm): Promise<Response> {
  const form = await readForm(request)
  // Sealed by this realm for this purpose: what comes out is what went in.
  const login = realm.loginSealer.open(url.searchParams.get('session_code') ?? '') as LoginUnderWay | undefined
  if (!login) return restart(realm, request)
  checkClientOf(login.request, url, realm)
  const session = await browserSession(realm, request)
  if (session && !needsAuthentication(realm, session, login.request, login.startedAt)) {
    // The back button, or another tab was faster: the browser is signed in, so the old form just leads on.
    return completeLogin(realm, { request: login.request, session, acr: '0' })
  }
  if (request.method !== 'POST')
    return loginForm(realm, request, { authorization: login.request, startedAt: login.startedAt })
  const browser = browserId(request)
  if (browser === undefined) throw new PageError(noCookie)
  if (browserHash(browser) !== login.browser) {
    // The form was given to another browser (login CSRF), or this one has signed in and out since.
    return loginForm(realm, request, {
      authorization: login.request,
      notice: 'This page has expired. Please sign in here.',
    })
  }
  return signIn({ realm, request, form, login, session, address: context.clientAddress })
}

async function signIn({
  realm,
  request,
  form,
  login,
  session,
  address,
}: {
  realm: Realm
  request: Request
  form: URLSearchParams
  login: LoginUnderWay
  session: Session | undefined
  address: string
}): Promise<Response> {
  const username = form.get('username') ?? ''
  const isRemembered = realm.model.settings.rememberMe && form.get('rememberMe') === 'on'
  const outcome = await checkPassword(realm, { username, password: form.get('password') ?? '', address })
  const refuse = (reason: string, error: string) => {
    const { request: authorization, startedAt } = login
    realm.log.info('sign-in refused', { clientId: authorization.clientId, address, reason })
    return loginForm(realm, request, { authorization, startedAt, username, isRemembered, error })
  }
  if (outcome.kind === 'wrong') return refuse(outcome.reason, 'Invalid username or password.')
  if (outcome.kind === 'disabled') return refuse('disabled', 'Account is disabled, contact your administrator.')
  const { user, password, secondFactors } = outcome
  const pending = pendingAction(user, secondFactors)
  if (pending.kind === 'unsupported') {
    const names = pending.names.join(', ')
    return refuse(names, `Account is not fully set up, contact your administrator (${names}).`)
  }
  const proven = { login, isRemembered }
  if (pending.kind === 'update-password') return askForNewPassword(realm, proven, { user, password })
  return finishSignIn(realm, proven, { user, old: session, address })
}

/** The form is too old, or of another realm: begins the login anew from the cookie that remembers the last one. */
async function restart(realm: Realm, request: Request): Promise<Response> {
  const cookie = cookieValue(request.headers.get('cookie'), 'KC_RESTART') ?? ''
  const authorization = realm.restartSealer.open(cookie) as AuthorizationRequest | undefined // sealed by this realm
  if (!authorization) throw new PageError(noCookie)
  const session = await browserSession(realm, request)
  if (session && !needsAuthentication(realm, session, authorization, realm.clock.now())) {
    return completeLogin(realm, { request: authorization, session, acr: '0' })
  }
  return loginForm(realm, request, { authorization, notice: timedOut })
}

function checkClientOf(authorization: AuthorizationRequest, url: URL, realm: Realm): void {
  const named = url.searchParams.get('client_id')
  const client = realm.model.clients.get(authorization.clientId)
  if (named === authorization.clientId && client?.enabled) return
  throw new PageError('An error occurred, please login again through your application.')
}
