import { pageAnswer, redirectAnswer, setCookieHeaders } from '../answers.ts'
import type { CheckAnswer, CheckRequest } from '../check.ts'
import { sessionCookieAttributes } from '../cookie-attributes.ts'
import { type ProxyCore, queryOf } from '../core.ts'
import { clearedSession } from '../login/finish-login.ts'
import { startLogin } from '../login/start-login.ts'
import { type SignInFault, signInPage } from '../pages/sign-in-page.ts'
import { locationOf } from '../redirect-target.ts'
import { isCrossSite, isForeignPost } from '../request-kind.ts'
import { storeSessionCookies } from '../sessions/session-cookies.ts'
import type { EndpointInput } from './endpoint.ts'
import { targetOf } from './target-of.ts'

/**
 * The sign-in page itself (oauthproxy.go `SignIn`); whoever asks for it is signed out of the browser first
 * (CVE-2026-34454). Posted to it, a name and password of the password file; `?provider=` goes straight on.
 */
export async function signIn({ request, form }: EndpointInput, core: ProxyCore): Promise<CheckAnswer> {
  const { config, passwords, provider } = core
  if (request.method === 'POST' && passwords) return signInByPassword({ request, form }, core)
  const isChosen = queryOf(request.path).has('provider')
  if (config.skip_provider_button || (isChosen && provider.choices.length > 1)) return start({ request, form }, core)
  return signInAnswer(request, core, { target: targetOf(request, form, core), status: 200 })
}

/** `/oauth2/start`: to the provider; of several, to the one `provider` names, or to the page where one is chosen. */
export async function start(
  { request, form }: Pick<EndpointInput, 'request' | 'form'>,
  core: ProxyCore,
): Promise<CheckAnswer> {
  const target = targetOf(request, form, core)
  const wishes = queryOf(request.path)
  const wanted = form.get('provider') ?? wishes.get('provider')
  const provider = core.provider.choices.length > 1 ? core.provider.choose(wanted) : core.provider.choices[0]
  if (provider) return startLogin(request, core, { target, provider, wishes })
  if (wanted === null) return signInAnswer(request, core, { target, status: 200 })
  return signInAnswer(request, core, { target, status: 400, fault: 'unknown-provider' })
}

/** The sign-in page, which ends the browser's session. */
export async function signInAnswer(
  request: CheckRequest,
  core: ProxyCore,
  { target, status, fault, username }: { target: string; status: number; fault?: SignInFault; username?: string },
): Promise<CheckAnswer> {
  const { look, assetsPath, config, sessions } = core
  // A link on another site signs nobody out; who sees the page can still go on from it.
  const isAsked = config.compat || !isCrossSite(request.headers)
  if (isAsked) await sessions.drop(request.headers['cookie'])
  const prefix = config.proxy_prefix
  const paths = { startPath: `${prefix}/start`, signInPath: `${prefix}/sign_in`, assetsPath }
  const page = signInPage({ look, ...paths, target, status, fault, username })
  return pageAnswer(page, isAsked ? setCookieHeaders(clearedSession(request, core)) : [])
}

/** oauthproxy.go `ManualSignIn`: 400 without a name, 401 for a wrong password, else a session and on to the page. */
async function signInByPassword(
  { request, form }: Pick<EndpointInput, 'request' | 'form'>,
  core: ProxyCore,
): Promise<CheckAnswer> {
  const { config, passwords, sessions, log } = core
  const { requestId } = request
  const target = targetOf(request, form, core)
  const username = form.get('username') ?? ''
  const again = (status: number, fault: SignInFault) => signInAnswer(request, core, { target, status, fault, username })
  if (!config.compat && isForeignPost(request)) return again(403, 'foreign')
  if (username === '') return again(400, 'no-username')
  const outcome = await passwords?.signIn(username, form.get('password') ?? '', request)
  if (outcome?.kind !== 'session') {
    log.info('sign-in failed', { requestId, reason: `password ${outcome?.kind ?? 'unknown'}` })
    return outcome?.kind === 'wait' ? again(429, 'wait') : again(401, 'wrong-password')
  }
  log.info('signed in', { requestId, user: username, by: 'password file' })
  const attributes = sessionCookieAttributes(config, request.host)
  const cookieHeader = request.headers['cookie']
  const value = await sessions.start(outcome.session, cookieHeader)
  const cookies = storeSessionCookies(config.cookie_name, value, { attributes, cookieHeader })
  return redirectAnswer(locationOf(target), setCookieHeaders(cookies))
}
