import { jsonAnswer, pageAnswer, redirectAnswer, setCookieHeaders, textAnswer } from '../answers.ts'
import type { CheckAnswer, CheckRequest } from '../check.ts'
import { type ProxyCore, queryOf } from '../core.ts'
import { clearedSession } from '../login/finish-login.ts'
import { publicOrigin, withPath } from '../login/start-login.ts'
import { confirmSignOutPage } from '../pages/notice-pages.ts'
import { withSortedQuery } from '../provider/sorted-query.ts'
import { locationOf } from '../redirect-target.ts'
import { isCrossSite, isForeignPost, wantsJson } from '../request-kind.ts'
import type { Session } from '../session.ts'
import { sessionTexts } from '../sessions/session-cookies.ts'
import type { EndpointInput } from './endpoint.ts'
import { signedOut } from './signed-out.ts'
import { targetOf } from './target-of.ts'

const maxHintLength = 6000

/** oidc-authservice's cookie: what one that was here before has left in the browser, dashboards still read as theirs. */
const oldSessionCookie = 'authservice_session'

/**
 * Signs out: here, then at the provider (OpenID Connect RP-Initiated Logout), then on a page that says so. One contract
 * for every generation of the Kubeflow dashboard: a top-level GET is answered by redirects, an XHR by 201 with the URL
 * to go to (authservice's answer: 200 from an ext_authz server would let the request pass).
 */
export async function signOut(input: EndpointInput, core: ProxyCore): Promise<CheckAnswer> {
  const { request, form } = input
  const query = queryOf(request.path)
  const { config, assetsPath } = core
  const signOutPath = `${config.proxy_prefix}/sign_out`
  const isOriginal = config.compat && !config.authservice && request.path.startsWith(signOutPath)
  if (isOriginal) return signOutAsOriginal(input, core)
  if (request.method === 'GET' && query.has('state') && !hasSession(request, core)) return signedOut(core, query)
  const isPost = request.method === 'POST'
  const isScripted = isPost && isScript(request)
  const isForeign = isPost && isForeignPost(request)
  if (isScripted && isForeign) return jsonAnswer(403, { error: 'cross_site_request' })
  if (isForeign || isCrossSite(request.headers)) return pageAnswer(confirmSignOutPage({ signOutPath, assetsPath }))
  const ended = await endSessions(request, core)
  if (isScripted && !ended && config.compat) return jsonAnswer(401, { error: 'no_session' })
  const target = wishedTarget(form.get('rd') ?? query.get('rd'), core)
  const location = await nextStop(request, core, { ended, target })
  const names = [...new Set([config.cookie_name, oldSessionCookie])]
  const headers = setCookieHeaders(names.flatMap((name) => clearedSession(request, core, name)))
  if (isScripted) return jsonAnswer(201, { afterLogoutURL: location }, headers)
  return redirectAnswer(location, headers, isPost ? 303 : 302)
}

/** Ends the session here, at whoever asks, and goes where `rd` or the request leads (oauthproxy.go `SignOut`). */
async function signOutAsOriginal({ request, form, lookUp }: EndpointInput, core: ProxyCore): Promise<CheckAnswer> {
  const { kind } = await lookUp()
  if (kind === 'bad-bearer') return textAnswer(403, 'Forbidden')
  const ended = await endSessions(request, core)
  const location = locationOf(withIdToken(targetOf(request, form, core), ended))
  return redirectAnswer(location, setCookieHeaders(clearedSession(request, core)))
}

/** A dashboard's script, as opposed to a form or a link. */
function isScript({ headers }: CheckRequest): boolean {
  return headers['authorization'] !== undefined || wantsJson(headers['accept']) || headers['sec-fetch-mode'] === 'cors'
}

function hasSession(request: CheckRequest, { config }: ProxyCore): boolean {
  return sessionTexts(request.headers['cookie'], config.cookie_name).length > 0
}

/** Ends every session the request proves, wherever it is remembered. @returns one of them, with its newest tokens. */
async function endSessions(request: CheckRequest, core: ProxyCore): Promise<Session | undefined> {
  const { config, log, sessions } = core
  const bearer = /^Bearer (\S+)$/.exec(request.headers['authorization'] ?? '')?.[1]
  const texts = [...sessionTexts(request.headers['cookie'], config.cookie_name), ...(bearer ? [bearer] : [])]
  let first: Session | undefined
  for (const text of texts) {
    const ended = await sessions.end(text)
    if (!ended) continue
    const { session, latest } = ended
    first ??= latest.idToken === undefined ? session : latest
    log.info('signed out', { requestId: request.requestId, email: session.email })
    await tellBackend(core, latest)
  }
  return first
}

/** `backend_logout_url`: the provider is told by a GET from here, with the ID token in place of `{id_token}`. */
async function tellBackend({ provider, fetch, log }: ProxyCore, session: Session): Promise<void> {
  const backend = provider.backendLogoutUrl(session)
  if (backend === '') return
  const { idToken = '' } = session
  const url = backend.replaceAll('{id_token}', encodeURIComponent(idToken))
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(5000) })
    if (response.status !== 200 && response.status !== 204)
      log.warn('backend logout refused', { status: response.status })
  } catch (cause) {
    log.warn('backend logout failed', { cause })
  }
}

function wishedTarget(rd: string | null, { isValidRedirect }: ProxyCore): string | undefined {
  return rd !== null && isValidRedirect(rd) ? rd : undefined
}

/** `{id_token}` of an `rd` is where a provider's own way of signing out wants the token. */
function withIdToken(target: string, ended: Session | undefined): string {
  return ended ? target.replaceAll('{id_token}', ended.idToken ?? '') : target
}

/** Whether a URL is the provider's, which knows the token anyway; a token is shown to nobody else, whitelisted or not. */
async function isOfProvider(
  target: string,
  ended: Session | undefined,
  { provider, alpha }: ProxyCore,
): Promise<boolean> {
  const { provider: id = alpha.providers[0]?.id } = ended ?? {}
  const options = alpha.providers.find((one) => one.id === id)
  const known = [await provider.endSessionUrl(ended), options?.oidcConfig.issuerURL, options?.loginURL]
  return known.some((url) => url && URL.canParse(url) && new URL(url).origin === new URL(target).origin)
}

/**
 * Where the browser goes: an absolute `rd` is someone's own way of ending the provider's session and is followed as in
 * the original; else to the provider's end-session endpoint, which leads back to the last page; else to that page.
 */
async function nextStop(
  request: CheckRequest,
  core: ProxyCore,
  { ended, target }: { ended: Session | undefined; target: string | undefined },
): Promise<string> {
  const { config, provider } = core
  if (target !== undefined && !target.startsWith('/')) {
    return locationOf((await isOfProvider(target, ended, core)) ? withIdToken(target, ended) : target)
  }
  const endSession = isOfPasswordFile(ended) ? undefined : await provider.endSessionUrl(ended)
  if (endSession === undefined) {
    const last = config.post_logout_redirect_url || `${config.proxy_prefix}/signed_out`
    return target === undefined ? last : withSortedQuery(last, { rd: target })
  }
  const idToken = ended?.idToken
  return withSortedQuery(endSession, {
    client_id: provider.clientId(ended),
    post_logout_redirect_uri: inStyleOfRedirectUri(returnPath(core), request, core),
    state: target ?? '/',
    // Beyond that the URL would be refused on its way; the provider then asks before it signs out.
    ...(idToken !== undefined && idToken.length <= maxHintLength ? { id_token_hint: idToken } : {}),
  })
}

/** Whether someone signed in by name and password, so that no provider has a session to end. */
function isOfPasswordFile(session: Session | undefined): boolean {
  return session !== undefined && session.nonce === undefined && session.accessToken === undefined && !session.idToken
}

/**
 * Where the provider sends the browser back to. Of clients that were registered for oauth2-proxy or oidc-authservice it
 * knows nothing but the redirect URI, so the callback, called without an answer, ends the sign-out, too.
 */
function returnPath({ config, callbackPath }: ProxyCore): string {
  return config.post_logout_redirect_url || withPath(config.redirect_url, callbackPath) || callbackPath
}

/** The URI has to be one registered at the provider: a path where the redirect URI is one, else on its origin. */
function inStyleOfRedirectUri(uri: string, request: CheckRequest, core: ProxyCore): string {
  const { redirect_url: redirectUrl, relative_redirect_url: isRelative } = core.config
  if (!uri.startsWith('/') || isRelative) return uri
  const origin = /^https?:\/\//.test(redirectUrl) ? new URL(redirectUrl).origin : publicOrigin(request, core)
  return origin + uri
}
