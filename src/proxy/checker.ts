import type { SessionNames } from '../oidc/ended-sessions.ts'
import { accessTokenIn, accessTokenInAuthorization } from './access-tokens/token-text.ts'
import { allowAnswer, setCookieHeaders, signedInAnswer, textAnswer } from './answers.ts'
import type { Authservice } from './authservice/open-authservice.ts'
import { type CheckAnswer, type CheckRequest, decide, type SessionLookup } from './check.ts'
import { sessionCookieAttributes } from './cookie-attributes.ts'
import type { ProxyCore } from './core.ts'
import type { Endpoint } from './endpoints/endpoint.ts'
import { endpointAt } from './endpoints/endpoints.ts'
import { withCookies } from './forwarding.ts'
import { clearedSession } from './login/finish-login.ts'
import { renderDecision } from './render-decision.ts'
import type { Session } from './session.ts'
import { compileReadTokens } from './sessions/read-tokens.ts'
import { sessionTexts, storeSessionCookies } from './sessions/session-cookies.ts'
import { namesOfIdToken } from './sessions/session-names.ts'

/** Runs the check around the pure decision: finds the session, remembers it, renders the answer. */
export interface Checker {
  check(request: CheckRequest): CheckAnswer | Promise<CheckAnswer>
  /** The answer where it is remembered: no crypto, no parsing, no promise. */
  recall(request: Pick<CheckRequest, 'path' | 'headers'>): CheckAnswer | undefined
  answerAt(endpoint: Endpoint, request: CheckRequest, form: URLSearchParams): Promise<CheckAnswer>
}

/** Opens the checker over the core. */
export function openChecker(core: ProxyCore): Checker {
  const { config, rules, log, memory } = core
  const ownPrefix = `${config.proxy_prefix}/`
  const authPath = `${ownPrefix}auth`
  const withoutUnread = compileReadTokens(core.alpha, config)

  function check(request: CheckRequest): CheckAnswer | Promise<CheckAnswer> {
    return recall(request) ?? checkSlowly(request)
  }

  function recall({ path, headers }: Pick<CheckRequest, 'path' | 'headers'>): CheckAnswer | undefined {
    if (path === authPath) return memory.find(headers)?.authAnswer
    if (path.startsWith(ownPrefix)) return undefined
    const hit = memory.find(headers)
    return hit && !path.includes('allowed_') && endpointAt(path, core) === undefined ? hit.answer : undefined
  }

  function checkSlowly(request: CheckRequest): Promise<CheckAnswer> {
    const endpoint = endpointAt(request.path, core)
    if (endpoint) return answerAt(endpoint, request, new URLSearchParams()).then(ownPage)
    return guarded(request, async () => {
      const lookup = await lookUp(request)
      const decision = decide(request, lookup, rules)
      const refused =
        decision.kind === 'allow' && decision.session && core.authservice?.refusal(request, decision.session)
      const answer = (await refused) || hidingToken(await renderDecision(request, decision, core), request)
      if (lookup.kind !== 'session') return withoutDeadCookie(answer, lookup, request)
      const told = namingUser(withCookies(answer, lookup.setCookies), lookup.session)
      return lookup.names ? { ...told, session: lookup.names } : told
    })
  }

  function answerAt(endpoint: Endpoint, request: CheckRequest, form: URLSearchParams): Promise<CheckAnswer> {
    return guarded(request, async () => {
      let found: SessionLookup | undefined
      const lookUpOnce = async () => {
        found ??= await lookUp(request)
        return found
      }
      const answer = await endpoint({ request, form, lookUp: lookUpOnce }, core)
      if (!found) return answer
      if (found.kind === 'session') return namingUser(answer, found.session)
      return withoutDeadCookie(answer, found, request)
    })
  }

  /**
   * With `compat`, as in oauth2-proxy, a cookie that is no session is deleted; else that is left to the sign-in, since an
   * answer that was long on its way would delete the cookie of a new session.
   */
  function withoutDeadCookie(answer: CheckAnswer, { kind }: SessionLookup, request: CheckRequest): CheckAnswer {
    if (!config.compat || kind !== 'none') return answer
    const cleared = clearedSession(request, core).filter((line) => !answer.headers.includes(line))
    if (cleared.length === 0) return answer
    return withCookies({ ...answer, headers: [...answer.headers, ...setCookieHeaders(cleared)] }, cleared)
  }

  /** A dependency that fails is a clear answer: never an allow, never a lost session. */
  async function guarded({ requestId }: CheckRequest, answer: () => Promise<CheckAnswer>): Promise<CheckAnswer> {
    try {
      return await answer()
    } catch (cause) {
      log.error('request failed', { requestId, cause })
      return textAnswer(503, 'Service Unavailable')
    }
  }

  async function lookUp(request: CheckRequest): Promise<SessionLookup> {
    const { headers } = request
    const known = memory.find(headers)
    if (known) return { kind: 'session', ...known }
    try {
      const token = accessTokenIn(headers, config.cookie_name)
      if (token !== undefined) return (await lookUpBesideToken(request)) ?? (await lookUpAccessToken(token))
      if (core.authservice) return await lookUpAs(core.authservice, request)
      const bearer = await lookUpBearer(headers['authorization'])
      if (bearer.kind === 'session' || (bearer.kind === 'bad-bearer' && config.compat)) return bearer
      const basic = await lookUpBasic(headers['authorization'], request)
      if (basic.kind === 'session') return basic
      if (bearer.kind === 'bad-bearer') return bearer
      const cookie = await lookUpCookie(request)
      return cookie.kind === 'none' ? bearer : cookie
    } catch (cause) {
      log.warn('session could not be looked up', { cause })
      return { kind: 'unavailable' }
    }
  }

  /** A sibling host may have planted a token beside a browser's session, which then goes before it. */
  async function lookUpBesideToken(request: CheckRequest): Promise<SessionLookup | undefined> {
    const { authorization = '', cookie } = request.headers
    if (accessTokenInAuthorization(authorization) !== undefined) return undefined
    if (sessionTexts(cookie, config.cookie_name).length < 2) return undefined
    const found = await lookUpCookie(request)
    return found.kind === 'none' ? undefined : found
  }

  async function lookUpAccessToken(token: string): Promise<SessionLookup> {
    const found = await core.accessTokens.find(token)
    return found ? { kind: 'session', ...found } : { kind: 'dead-token' }
  }

  async function lookUpBearer(authorization: string | undefined): Promise<SessionLookup> {
    if (!core.bearer.isOn || authorization === undefined) return { kind: 'none' }
    const remember = memory.begin()
    const outcome = await core.bearer.verify(authorization)
    if (outcome.kind === 'unavailable') return outcome
    const names = outcome.kind === 'session' ? namesOfIdToken(outcome.token) : undefined
    if (outcome.kind === 'refused' || !names || (await core.ended.hasEnded(names))) {
      const isOnlyForAccounts = !config.skip_jwt_bearer_tokens
      return { kind: isOnlyForAccounts || config.bearer_token_login_fallback ? 'none' : 'bad-bearer' }
    }
    const { session } = outcome
    if (!rules.mayEnter(session)) return { kind: 'session', session, names }
    const entry = withAnswer({ session, names }, session.expiresAt ?? 0)
    remember('authorization', authorization, entry)
    return { kind: 'session', session, names, authAnswer: entry.authAnswer }
  }

  function lookUpAs(authservice: Authservice, request: CheckRequest): Promise<SessionLookup> {
    const remember = memory.begin()
    return authservice.authenticate(request, {
      cookie: () => lookUpCookie(request),
      accept(session, names) {
        if (!rules.mayEnter(session)) return { kind: 'session', session, names }
        const entry = withAnswer({ session, names }, session.expiresAt ?? 0)
        remember('authorization', request.headers['authorization'] ?? '', entry)
        return { kind: 'session', session, names, authAnswer: entry.authAnswer }
      },
    })
  }

  /** A name and password of the password file, sent with the request itself. */
  async function lookUpBasic(authorization: string | undefined, sender: CheckRequest): Promise<SessionLookup> {
    if (!core.passwords || authorization === undefined) return { kind: 'none' }
    const session = await core.passwords.sessionOfBasic(authorization, sender)
    return session ? { kind: 'session', session } : { kind: 'none' }
  }

  async function lookUpCookie({ headers, host }: CheckRequest): Promise<SessionLookup> {
    const cookieHeader = headers['cookie']
    const remember = memory.begin()
    const found = await core.sessions.find(cookieHeader)
    if (!found) return { kind: 'none' }
    const { session, names, text, freshUntil } = found
    if (!rules.mayEnter(session)) return { kind: 'session', session, names }
    if (core.isForwarding && found.renewedText) {
      const attributes = sessionCookieAttributes(config, host)
      const setCookies = storeSessionCookies(config.cookie_name, found.renewedText(), { attributes, cookieHeader })
      return { kind: 'session', session, names, setCookies } // not remembered: the browser comes with the new one
    }
    const entry = withAnswer({ session, names }, freshUntil)
    remember('cookie', text, entry)
    return { kind: 'session', session, names, authAnswer: entry.authAnswer }
  }

  function withAnswer({ session: whole, names }: { session: Session; names: SessionNames }, until: number) {
    const session = withoutUnread(whole)
    const headers = core.identityHeaders(whole)
    const answer = { ...core.forwarded(allowAnswer(headers), whole), session: names }
    return { session, names, answer, authAnswer: ownPage(signedInAnswer(headers)), until }
  }

  return { check, recall, answerAt }
}

/** Says for the log whose request was not let through; of others `gap-auth` says it. */
function namingUser(answer: CheckAnswer, { email = '', user = '' }: Session): CheckAnswer {
  return answer.headers[0] === 'gap-auth' ? answer : { ...answer, user: email || user }
}

/** An app that is not given another `Authorization` is not given the access token either: it could act as its user. */
function hidingToken(answer: CheckAnswer, { headers: { authorization = '' } }: CheckRequest): CheckAnswer {
  if (answer.status !== 200 || accessTokenInAuthorization(authorization) === undefined) return answer
  if (answer.headers.includes('authorization')) return answer
  return { ...answer, headers: [...answer.headers, 'x-envoy-auth-headers-to-remove', 'authorization'] }
}

/** One of the proxy's own pages is no leave to pass. */
function ownPage(answer: CheckAnswer): CheckAnswer {
  return { ...answer, verdict: 'deny' }
}
