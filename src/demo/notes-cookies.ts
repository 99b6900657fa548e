import { cookieValue, formatSetCookie, parseCookies } from '../http/cookies.ts'
import type { Clock } from '../kit/clock.ts'
import type { Random } from '../kit/random.ts'
import { openStateSealer } from '../oidc/sealed-state.ts'
import type { NotesUser, PendingLogin } from './notes-sign-in.ts'

/** Who is signed in to the notes app. */
export interface NotesSession extends NotesUser {
  /** What every form has to bring. */
  readonly csrf: string
  /** For the provider's sign-out page; left out where the cookie would not hold it. */
  readonly idToken?: string
}

/** The app's memory of a browser, kept by the browser itself: sealed cookies below the app's own path. */
export interface NotesCookies {
  session(request: Request): NotesSession | undefined
  /** The `Set-Cookie` of a session; `undefined` where not even one without ID token fits. */
  keepSession(session: NotesSession): string | undefined
  dropSession(): string
  /** The login that a callback with this `state` completes. */
  login(request: Request, state: string): PendingLogin | undefined
  /** The `Set-Cookie`s of one more login; beyond four at a time the oldest go. */
  keepLogin(request: Request, login: PendingLogin): readonly string[]
  dropLogin(state: string): string
}

/** How long one stays signed in, in milliseconds. */
export const sessionLifetime = 8 * 60 * 60 * 1000
const loginLifetime = 15 * 60 * 1000
const maxLogins = 4
const maxCookieLength = 3900 // browsers drop cookies beyond 4096 bytes, name and attributes included (RFC 6265 §6.1)
const loginPrefix = 'notes_login_'

/** Opens the cookies of the app at `publicUrl`. */
export function openNotesCookies({
  publicUrl,
  secret,
  clock,
  random,
}: {
  readonly publicUrl: string
  readonly secret: string
  readonly clock: Clock
  readonly random: Random
}): NotesCookies {
  const { pathname, protocol } = new URL(publicUrl)
  const attributes = { path: `${pathname}/`, httpOnly: true, secure: protocol === 'https:', sameSite: 'Lax' } as const
  const sessions = openStateSealer({ secret, purpose: 'notes session', clock, random })
  const logins = openStateSealer({ secret, purpose: 'notes login', clock, random })
  const drop = (name: string) => formatSetCookie(name, '', { ...attributes, maxAgeSeconds: 0 })
  // What opens was sealed here for this very purpose, so it is what was put in.
  const openLogin = (text: string) => logins.open(text) as (PendingLogin & { readonly at: number }) | undefined

  return {
    session(request) {
      const text = cookieValue(request.headers.get('cookie'), 'notes_session')
      return text === undefined ? undefined : (sessions.open(text) as NotesSession | undefined)
    },
    keepSession(session) {
      const { idToken, ...small } = session
      const fitting = [session, small].map((one) => sessions.seal(one, sessionLifetime)).find(fits)
      return fitting === undefined ? undefined : formatSetCookie('notes_session', fitting, attributes)
    },
    dropSession: () => drop('notes_session'),
    login(request, state) {
      const text = cookieValue(request.headers.get('cookie'), loginCookie(state))
      const login = text === undefined ? undefined : openLogin(text)
      return login?.state === state ? login : undefined
    },
    keepLogin(request, login) {
      const pending = parseCookies(request.headers.get('cookie'))
        .filter(([name]) => name.startsWith(loginPrefix))
        .map(([name, text]) => ({ name, at: openLogin(text)?.at ?? 0 }))
        .sort((a, b) => b.at - a.at)
      const text = logins.seal({ ...login, at: clock.now() }, loginLifetime)
      const options = { ...attributes, maxAgeSeconds: loginLifetime / 1000 }
      return [
        formatSetCookie(loginCookie(login.state), text, options),
        ...pending.slice(maxLogins - 1).map(({ name }) => drop(name)),
      ]
    },
    dropLogin: (state) => drop(loginCookie(state)),
  }
}

function fits(text: string): boolean {
  return text.length <= maxCookieLength
}

function loginCookie(state: string): string {
  return `${loginPrefix}${state.replaceAll(/[^\w-]/g, '').slice(0, 12)}`
}
