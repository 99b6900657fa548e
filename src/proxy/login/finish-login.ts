import { GatehouseError } from '../../kit/errors.ts'
import type { Collection } from '../../store/records.ts'
import { pageAnswer, redirectAnswer, setCookieHeaders } from '../answers.ts'
import type { CheckAnswer, CheckRequest } from '../check.ts'
import { csrfCookieAttributes, sessionCookieAttributes } from '../cookie-attributes.ts'
import type { ProxyCore } from '../core.ts'
import { signedOut } from '../endpoints/signed-out.ts'
import { deniedPage } from '../pages/notice-pages.ts'
import { locationOf } from '../redirect-target.ts'
import type { Session } from '../session.ts'
import { clearSessionCookies, storeSessionCookies } from '../sessions/session-cookies.ts'
import { cookieEndsAt } from '../sessions/session-life.ts'
import { clearCsrfCookies, csrfCookieName, findPendingLogin, type PendingLogin } from './csrf-cookie.ts'
import { loginFailure } from './login-failure.ts'
import { type LoginState, parseState, textOfState } from './login-state.ts'
import { servePurpose } from './serve-purpose.ts'
import { redirectUriFor, startLogin } from './start-login.ts'

/** Errors that only say `prompt=none` was too much to ask (OpenID Connect Core §3.1.2.6). */
const needsPrompt = ['login_required', 'interaction_required', 'consent_required', 'account_selection_required']

/**
 * The provider's answer (oauthproxy.go `OAuthCallback`), with what the original gets wrong put right: the state is
 * proven before the code is redeemed; a late or repeated callback of someone who is signed in just leads on; a login
 * whose cookie is gone is started again, once.
 */
export async function finishLogin(
  request: CheckRequest,
  core: ProxyCore,
  parameters: URLSearchParams,
): Promise<CheckAnswer> {
  const { config, isValidRedirect, csrf } = core
  const state = parseState(parameters.get('state') ?? '', config.encode_state)
  const isAnswer = parameters.has('code') || parameters.has('error')
  if (config.compat && parameters.get('error')) return originalError(request, core, parameters)
  // A callback without an answer is the end of a sign-out at a provider that knows no other address of ours.
  if (!isAnswer && !state && (!config.compat || config.authservice)) {
    const isEnd = parameters.has('state') || !config.authservice
    if (await isSignedIn(request, core)) return redirectAnswer(config.authservice?.homepageUrl ?? '/')
    return isEnd ? signedOut(core, parameters) : redirectAnswer(config.authservice.homepageUrl)
  }
  const target = state && isValidRedirect(state.target) ? state.target : '/'
  if (!state) {
    // the original looks for the cookie of whatever it may be
    const isLost = config.compat && textOfState(parameters.get('state') ?? '', config.encode_state).includes(':')
    return failed(request, core, {
      code: isLost ? 'no_csrf_cookie' : 'bad_callback',
      message: 'the state is none of ours',
      target,
    })
  }
  const login = findPendingLogin(request.headers['cookie'], state.hash, csrf)
  if (!login) return restart(request, core, { state, target, reason: 'login_expired' })
  if (!(await core.provider.isOwnAnswer(login, parameters.get('iss')))) {
    return failed(request, core, { code: 'mixed_up', message: 'the answer is from another provider', target })
  }
  const error = parameters.get('error')
  if (error !== null) return providerError(request, core, { error, state, target })
  const code = parameters.get('code')
  if (!code) return failed(request, core, { code: 'bad_callback', message: 'the answer has no code', target })
  return redeemOnce(request, core, { login, state, target, code })
}

interface Callback {
  readonly state: LoginState
  readonly target: string
}

/** Of any number of concurrent callbacks with one state only one redeems its code. */
async function redeemOnce(
  request: CheckRequest,
  core: ProxyCore,
  { login, state, target, code }: Callback & { login: PendingLogin; code: string },
): Promise<CheckAnswer> {
  const { records, clock, config, provider } = core
  const spent: Collection<true> = records.collection('proxy-spent-states')
  const isFirst = await spent.create(state.hash, true, clock.now() + config.cookie_csrf_expire)
  if (!isFirst) return restart(request, core, { state, target, reason: 'login_expired' })
  try {
    const session = await provider.redeem(code, login, redirectUriFor(request, core))
    if (!session.email) throw new GatehouseError('no_email', 'neither ID token nor profile has an e-mail address')
    if (login.purpose && core.rules.mayEnter(session)) {
      const cookies = clearLoginCookies(request, core, state)
      return await servePurpose(login.purpose, session, { core, cookies, requestId: request.requestId })
    }
    return await admit(request, core, { session, state, target })
  } catch (cause) {
    // Nothing is kept for someone who has not authenticated.
    await spent.delete(state.hash)
    if (!(cause instanceof GatehouseError)) throw cause
    if (cause.code === 'grant_refused' && !core.config.compat)
      return restart(request, core, { state, target, reason: cause.code })
    return loginFailure(request, core, { cause, target })
  }
}

async function admit(
  request: CheckRequest,
  core: ProxyCore,
  { session, state, target }: Callback & { session: Session },
): Promise<CheckAnswer> {
  const { config, sessions, log, rules, assetsPath } = core
  const cookieHeader = request.headers['cookie']
  const attributes = sessionCookieAttributes(config, request.host)
  const csrfCleared = clearLoginCookies(request, core, state)
  const mayEnter = rules.mayEnter(session)
  const isKept = mayEnter || !config.compat
  const value = isKept ? await sessions.start(session, cookieHeader) : undefined
  const stored = value ? storeSessionCookies(config.cookie_name, value, { attributes, cookieHeader }) : []
  if (!mayEnter) {
    log.info('sign-in denied', { requestId: request.requestId, email: session.email, groups: session.groups })
    const signOutPath = `${config.proxy_prefix}/sign_out`
    // The session is kept so that “use another account” can end the provider's session, too.
    const { requestId } = request
    const why = rules.whyNot(session)
    const page = deniedPage({ who: session.email ?? '', why, signOutPath, assetsPath, requestId })
    return pageAnswer(page, setCookieHeaders([...stored, ...csrfCleared]))
  }
  const until = new Date(cookieEndsAt(session, config)).toISOString()
  log.info('signed in', { requestId: request.requestId, email: session.email, until })
  const after = config.authservice?.afterLoginUrl
  const location = after ? `${after}?next=${encodeURIComponent(target)}` : locationOf(target)
  return redirectAnswer(location, setCookieHeaders([...stored, ...csrfCleared]))
}

async function isSignedIn({ headers }: CheckRequest, { sessions, rules }: ProxyCore): Promise<boolean> {
  const found = await sessions.find(headers['cookie']).catch(() => undefined)
  return found !== undefined && rules.mayEnter(found.session)
}

/** The cookie of this login is gone or used up: who is signed in goes on, others begin once more. */
async function restart(
  request: CheckRequest,
  core: ProxyCore,
  { state, target, reason, withoutPrompt = false }: Callback & { reason: string; withoutPrompt?: boolean },
): Promise<CheckAnswer> {
  const { config, provider } = core
  if (config.compat) return failed(request, core, { code: 'no_csrf_cookie', message: reason, target })
  if (await isSignedIn(request, core)) return redirectAnswer(locationOf(target))
  if (state.isRestarted) {
    return failed(request, core, { code: 'login_expired', message: `login failed twice: ${reason}`, target })
  }
  core.log.info('sign-in restarted', { requestId: request.requestId, reason })
  const choice = state.place === undefined ? undefined : provider.choices[state.place]
  return startLogin(request, core, { target, isRestarted: true, withoutPrompt, provider: choice })
}

/** The original believes an error whoever sends it, and tells it (oauthproxy.go `OAuthCallback`). */
function originalError(request: CheckRequest, core: ProxyCore, parameters: URLSearchParams): Promise<CheckAnswer> {
  const error = parameters.get('error') ?? ''
  const code = error === 'access_denied' ? 'cancelled' : 'provider_error'
  return failed(request, core, { code, message: `the provider answered ${readable(error)}`, target: '/' })
}

function readable(error: string): string {
  return /^[a-z_]{1,60}$/.test(error) ? error : 'unreadable error'
}

function providerError(
  request: CheckRequest,
  core: ProxyCore,
  { error, state, target }: Callback & { error: string },
): Promise<CheckAnswer> {
  if (needsPrompt.includes(error) && !core.config.compat) {
    return restart(request, core, { state, target, reason: 'prompt_needed', withoutPrompt: true })
  }
  const code = error === 'access_denied' ? 'cancelled' : 'provider_refused'
  return failed(request, core, { code, message: `the provider answered ${readable(error)}`, target })
}

function failed(
  request: CheckRequest,
  core: ProxyCore,
  { code, message, target }: { code: string; message: string; target: string },
): Promise<CheckAnswer> {
  return loginFailure(request, core, { cause: new GatehouseError(code, message), target })
}

function clearLoginCookies(request: CheckRequest, { config }: ProxyCore, { hash }: LoginState): string[] {
  const names = [csrfCookieName(config.cookie_name, hash), `${config.cookie_name}_csrf`]
  const present = names.filter((name) => request.headers['cookie']?.includes(`${name}=`))
  return clearCsrfCookies(present, csrfCookieAttributes(config, request.host))
}

/** `Set-Cookie` values that end the session in the browser, where it is kept under this name. */
export function clearedSession(request: CheckRequest, { config }: ProxyCore, name = config.cookie_name): string[] {
  const attributes = sessionCookieAttributes(config, request.host)
  return clearSessionCookies(name, { attributes, cookieHeader: request.headers['cookie'] })
}
