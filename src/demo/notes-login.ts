import type { MiddlewareHandler } from 'hono'
import { readForm } from '../http/forms.ts'
import { pageResponse } from '../http/views/page.ts'
import { randomText } from '../kit/random.ts'
import { isEqualSecret } from '../oauth/pkce.ts'
import { redirectTo } from '../oauth/responses.ts'
import { receiveLogout } from '../oidc/backchannel-logout.ts'
import { notesSignedOutPage } from './notes-pages.ts'
import {
  lookOf,
  type NotesApp,
  type NotesContext,
  type NotesEnv,
  type NotesParts,
  notesProblem,
  problems,
  refused,
  unreachable,
  withCookies,
} from './notes-parts.ts'
import type { FinishOutcome } from './notes-sign-in.ts'

const maxReturnLength = 1024 // a login's cookie has to hold it

/** Lets on who is signed in; sends who opens a page to the provider, and tells anyone else that the session is over. */
export function signedIn(parts: NotesParts): MiddlewareHandler<NotesEnv> {
  const { basePath, cookies, signIn, logouts } = parts
  return async (c, next) => {
    const session = cookies.session(c.req.raw)
    if (session && !(await logouts.hasEnded(session))) {
      c.set('session', session)
      return next()
    }
    const isNavigation = c.req.method === 'GET' && (c.req.header('sec-fetch-mode') ?? 'navigate') === 'navigate'
    if (!isNavigation) return notesProblem(c, parts, { status: 401, ...problems.sessionEnded })
    const { pathname, search } = new URL(c.req.url)
    const here = pathname + search
    const started = await signIn.start(here.length <= maxReturnLength ? here : `${basePath}/`)
    if (started.kind === 'unreachable') return notesProblem(c, parts, { status: 503, ...unreachable(here) })
    return withCookies(redirectTo(started.location), cookies.keepLogin(c.req.raw, started.login))
  }
}

/** Lets on a form that this session was given (CSRF). */
export function ownForm(parts: NotesParts): MiddlewareHandler<NotesEnv> {
  return async (c, next) => {
    const form = await readForm(c.req.raw)
    if (!isEqualSecret(form.get('csrf') ?? '', c.get('session').csrf)) {
      return notesProblem(c, parts, { status: 403, ...problems.foreignForm })
    }
    c.set('form', form)
    return next()
  }
}

/** Coming back from the provider, and signing out: here, or by the provider's word. */
export function mountLogin(app: NotesApp, parts: NotesParts): void {
  const { basePath, cookies, signIn, logouts, log } = parts

  app.get(`${basePath}/callback`, async (c) => {
    const { search, searchParams } = new URL(c.req.url)
    const state = searchParams.get('state') ?? ''
    const login = cookies.login(c.req.raw, state)
    if (!login) return notesProblem(c, parts, { status: 400, ...problems.staleLogin })
    const outcome = await signIn.finish(search, login)
    const response = await finished(c, parts, { outcome, returnTo: login.returnTo })
    return withCookies(response, outcome.kind === 'unreachable' ? [] : [cookies.dropLogin(state)])
  })

  app.post(`${basePath}/sign-out`, signedIn(parts), ownForm(parts), async (c) => {
    const location = await signIn.endSessionUrl(c.get('session').idToken)
    const response = redirectTo(location ?? `${basePath}/signed-out?provider=unreachable`, 303)
    return withCookies(response, [cookies.dropSession()])
  })

  app.post(`${basePath}/backchannel-logout`, (c) =>
    receiveLogout(c.req.raw, {
      verify: (token) => signIn.verifyLogout(token),
      async end(notice) {
        await logouts.end(notice)
        log.info('signed out by the provider', { requestId: c.env?.requestId })
      },
      refused: (reason) => log.warn('logout token refused', { reason, requestId: c.env?.requestId }),
    }),
  )

  app.get(`${basePath}/signed-out`, (c) =>
    pageResponse(notesSignedOutPage({ isEverywhere: c.req.query('provider') !== 'unreachable' }, lookOf(c, parts))),
  )
}

async function finished(
  c: NotesContext,
  parts: NotesParts,
  { outcome, returnTo }: { outcome: FinishOutcome; returnTo: string },
): Promise<Response> {
  const { cookies, random, log } = parts
  if (outcome.kind === 'unreachable') return notesProblem(c, parts, { status: 503, ...unreachable(returnTo) })
  if (outcome.kind === 'invalid') return notesProblem(c, parts, { status: 400, ...problems.staleLogin })
  if (outcome.kind === 'refused') return notesProblem(c, parts, { status: 403, ...refused(outcome) })
  const { user, idToken } = outcome
  const open = cookies.session(c.req.raw)
  // The same person signing in again in another tab keeps the token that forms in the first tab already carry.
  const csrf = open && open.subject === user.subject ? open.csrf : randomText(random, 18)
  const kept = cookies.keepSession({ ...user, csrf, ...(idToken === undefined ? {} : { idToken }) })
  if (kept === undefined) return notesProblem(c, parts, { status: 400, ...problems.tooManyGroups })
  log.info('signed in', { subject: user.subject, requestId: c.env?.requestId })
  return withCookies(redirectTo(returnTo, 303), [kept])
}
