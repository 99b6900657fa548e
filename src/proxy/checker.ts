import { GenerationCache } from '../kit/cache.ts'
import { allowAnswer, jsonAnswer, pageAnswer, setCookieHeaders, textAnswer } from './answers.ts'
import { type CheckAnswer, type CheckRequest, type Decision, decide, type SessionLookup } from './check.ts'
import type { ProxyCore } from './core.ts'
import type { Endpoint } from './endpoints/endpoint.ts'
import { endpointAt, targetOf } from './endpoints/endpoints.ts'
import { clearedSession } from './login/finish-login.ts'
import { startLogin } from './login/start-login.ts'
import { deniedPage } from './pages/notice-pages.ts'
import { signInPage } from './pages/sign-in-page.ts'
import type { Session } from './session.ts'
import { tokenId } from './sessions/revocations.ts'
import { firstSessionText } from './sessions/session-cookies.ts'

/** Runs the check around the pure decision: finds the session, remembers it, renders the answer. */
export interface Checker {
  check(request: CheckRequest): CheckAnswer | Promise<CheckAnswer>
  answerAt(endpoint: Endpoint, request: CheckRequest, form: URLSearchParams): Promise<CheckAnswer>
}

/** A credential that was found good a moment ago, with the answer it gets. */
interface Remembered {
  readonly session: Session
  readonly answer: CheckAnswer
  /** Milliseconds since the epoch. */
  readonly until: number
}

/** How long a credential is not looked at again: so long may a sign-out on another replica take to be noticed. */
const rememberFor = 60_000
/** Credentials remembered per generation, at about 5 kB each. */
const rememberedCredentials = 5000

/** Opens the checker over the core, which it teaches to forget. */
export function openChecker(core: ProxyCore): Checker {
  const { config, clock, rules, log } = core
  const byCookie = new GenerationCache<Remembered>(rememberedCredentials)
  const byAuthorization = new GenerationCache<Remembered>(rememberedCredentials)
  const ownPrefix = `${config.proxy_prefix}/`
  core.forgetting.add((cookieText, tokens) => {
    byCookie.delete(cookieText)
    byAuthorization.clear(({ session: { idToken } }) => idToken !== undefined && tokens.includes(idToken))
  })

  /** The hot path: no crypto, no parsing, no promise. */
  function check(request: CheckRequest): CheckAnswer | Promise<CheckAnswer> {
    const { path, headers } = request
    if (!path.startsWith(ownPrefix)) {
      const hit = remembered(headers)
      if (hit !== undefined && !path.includes('allowed_') && endpointAt(path, core) === undefined) return hit.answer
    }
    return checkSlowly(request)
  }

  function remembered(headers: CheckRequest['headers']): Remembered | undefined {
    const authorization = config.skip_jwt_bearer_tokens ? headers['authorization'] : undefined
    if (authorization !== undefined) return alive(byAuthorization.get(authorization))
    const cookie = headers['cookie']
    const text = cookie === undefined ? undefined : firstSessionText(cookie, config.cookie_name)
    return text === undefined ? undefined : alive(byCookie.get(text))
  }

  function alive(entry: Remembered | undefined): Remembered | undefined {
    return entry !== undefined && clock.now() < entry.until ? entry : undefined
  }

  function checkSlowly(request: CheckRequest): Promise<CheckAnswer> {
    const endpoint = endpointAt(request.path, core)
    if (endpoint) return answerAt(endpoint, request, new URLSearchParams())
    return guarded(request, async () => render(request, decide(request, await lookUp(request), rules)))
  }

  function answerAt(endpoint: Endpoint, request: CheckRequest, form: URLSearchParams): Promise<CheckAnswer> {
    return guarded(request, async () => endpoint({ request, form, lookUp: () => lookUp(request) }, core))
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

  async function lookUp({ headers }: CheckRequest): Promise<SessionLookup> {
    const known = remembered(headers)
    if (known) return { kind: 'session', session: known.session }
    try {
      const bearer = await lookUpBearer(headers['authorization'])
      if (bearer.kind === 'session' || bearer.kind === 'bad-bearer') return bearer
      const cookie = await lookUpCookie(headers['cookie'])
      return cookie.kind === 'none' ? bearer : cookie
    } catch (cause) {
      log.warn('session could not be looked up', { cause })
      return { kind: 'unavailable' }
    }
  }

  async function lookUpBearer(authorization: string | undefined): Promise<SessionLookup> {
    if (!config.skip_jwt_bearer_tokens || authorization === undefined) return { kind: 'none' }
    const outcome = await core.bearer.verify(authorization)
    if (outcome.kind === 'unavailable') return outcome
    const isGood = outcome.kind === 'session' && !(await core.revocations.isRevoked(tokenId(outcome.token)))
    if (!isGood) return { kind: config.bearer_token_login_fallback ? 'none' : 'bad-bearer' }
    remember(byAuthorization, authorization, outcome.session, outcome.session.expiresAt ?? 0)
    return { kind: 'session', session: outcome.session }
  }

  async function lookUpCookie(cookie: string | undefined): Promise<SessionLookup> {
    const found = await core.sessions.find(cookie)
    if (!found) return { kind: 'none' }
    remember(byCookie, found.text, found.session, found.freshUntil)
    return { kind: 'session', session: found.session }
  }

  function remember(cache: GenerationCache<Remembered>, key: string, session: Session, freshUntil: number): void {
    if (!rules.mayEnter(session)) return
    const until = Math.min(freshUntil, clock.now() + rememberFor)
    const { refreshToken: _unneeded, ...kept } = session
    cache.set(detached(key), { session: kept, answer: allowAnswer(core.identityHeaders(session)), until })
  }

  async function render(request: CheckRequest, decision: Decision): Promise<CheckAnswer> {
    switch (decision.kind) {
      case 'allow':
        return allowAnswer(decision.session ? core.identityHeaders(decision.session) : [])
      case 'forbidden':
        return textAnswer(403, 'Forbidden')
      case 'unavailable':
        return textAnswer(503, 'Service Unavailable')
      case 'denied':
        return decision.how === 'json' ? jsonAnswer(403, {}) : denied(request, decision.session)
      case 'login':
        return login(request, decision.how)
    }
  }

  function denied({ requestId }: CheckRequest, { email = '' }: Session): Promise<CheckAnswer> {
    const signOutPath = `${config.proxy_prefix}/sign_out`
    return pageAnswer(deniedPage({ who: email, signOutPath, assetsPath: core.assetsPath, requestId }))
  }

  function login(
    request: CheckRequest,
    how: 'json' | 'hint' | 'redirect' | 'page',
  ): CheckAnswer | Promise<CheckAnswer> {
    const startPath = `${config.proxy_prefix}/start`
    if (how === 'json') return jsonAnswer(401, {})
    if (how === 'hint') return jsonAnswer(401, { error: 'login_required', login_url: startPath })
    const target = targetOf(request, new URLSearchParams(), core)
    if (how === 'redirect') {
      return hasReadableQuery(request.path) ? startLogin(request, core, { target }) : textAnswer(400, 'Bad Request')
    }
    const { look, assetsPath } = core
    const page = signInPage({ look, startPath, target, assetsPath, status: 403 })
    return pageAnswer(page, setCookieHeaders(clearedSession(request, core)))
  }

  return { check, answerAt }
}

/** The same text without the header it was cut from, which V8 would keep in memory along with it. */
function detached(text: string): string {
  return Buffer.from(text, 'latin1').toString('latin1')
}

/** Whether Go could parse the query: the original answers 400 for one it cannot. */
function hasReadableQuery(path: string): boolean {
  return !path.includes('?') || !/%(?![0-9A-Fa-f]{2})/.test(path)
}
