import type { Context, Hono } from 'hono'
import type { RequestContext } from '../http/part.ts'
import { pageResponse } from '../http/views/page.ts'
import type { Log } from '../kit/log.ts'
import type { Random } from '../kit/random.ts'
import type { NoteShelf } from './note-shelf.ts'
import type { NotesCookies, NotesSession } from './notes-cookies.ts'
import type { NotesLogouts } from './notes-logouts.ts'
import { type NotesLook, notesErrorPage } from './notes-pages.ts'
import type { SignIn } from './notes-sign-in.ts'

/** What Hono carries along a request of the notes app. */
export interface NotesEnv {
  readonly Bindings: Partial<RequestContext>
  readonly Variables: { session: NotesSession; form: URLSearchParams }
}

/** The notes app, to which routes are added. */
export type NotesApp = Hono<NotesEnv>
/** One request of it. */
export type NotesContext = Context<NotesEnv>

/** What the app's pages work with. */
export interface NotesParts {
  readonly basePath: string
  readonly signIn: SignIn
  readonly shelf: NoteShelf
  readonly cookies: NotesCookies
  readonly logouts: NotesLogouts
  readonly random: Random
  readonly log: Log
}

/** A problem as people are told it. Without `action` the way on is back to the notes. */
export interface NotesProblem {
  readonly title: string
  readonly message: string
  readonly advice?: string
  readonly action?: { readonly href: string; readonly text: string }
}

/** The problems that need no further words. */
export const problems = {
  sessionEnded: {
    title: 'You are signed out',
    message: 'Your session had ended before this was sent, so nothing was changed.',
    advice: 'Sign in again, then repeat it.',
  },
  foreignForm: {
    title: 'This form is too old',
    message: 'It was made for another session, so nothing was changed.',
    advice: 'Go back to your notes and try again.',
  },
  staleLogin: {
    title: 'This sign-in cannot be completed',
    message: 'It was completed already, was started in another browser, or took longer than a quarter of an hour.',
    advice: 'Nothing is lost: go on, and you are asked to sign in again only where that is needed.',
  },
  tooManyGroups: {
    title: 'Too many groups',
    message: 'You are in more groups than this small app can remember in a cookie.',
    advice: 'Ask your administrator to let this app see only the groups it needs.',
  },
  noSuchNote: { title: 'No such note', message: 'It was deleted, or it belongs to someone else.' },
  noSuchPage: { title: 'Page not found', message: 'There is nothing at this address.' },
  unreadable: {
    title: 'This could not be read',
    message: 'It was too large, or broke off on its way, so nothing was changed.',
  },
  failed: { title: 'Something went wrong', message: 'The page could not be shown.', advice: 'Try again in a moment.' },
} as const satisfies Readonly<Record<string, NotesProblem>>

/** The problem while the provider does not answer; the way on is to try the same again. */
export function unreachable(retryAt: string): NotesProblem {
  return {
    title: 'Signing in is not possible right now',
    message: 'The identity provider does not answer.',
    advice: 'Your notes are safe. Try again in a moment.',
    action: { href: retryAt, text: 'Try again' },
  }
}

/** The problem where the provider sent the browser back with an error. */
export function refused({ error, description }: { error: string; description: string | undefined }): NotesProblem {
  return {
    title: 'You were not signed in',
    message: `The identity provider answered “${error}”${description === undefined ? '.' : `: ${description}`}`,
    advice: 'Try again. If it stays, tell your administrator what it says.',
  }
}

/** What pages need to know of the request they answer. */
export function lookOf(c: NotesContext, { basePath }: NotesParts): NotesLook {
  return { basePath, requestId: c.env?.requestId }
}

/** Answers with the page of a problem. */
export function notesProblem(
  c: NotesContext,
  parts: NotesParts,
  { status, ...problem }: NotesProblem & { readonly status: 400 | 401 | 403 | 404 | 413 | 500 | 503 },
): Promise<Response> {
  const action = { href: `${parts.basePath}/`, text: 'Go to your notes' }
  const headers: Record<string, string> = status === 503 ? { 'retry-after': '5' } : {}
  return pageResponse(notesErrorPage({ action, ...problem }, lookOf(c, parts)), { status, headers })
}

/** The same answer with these `Set-Cookie`s. */
export function withCookies(response: Response, cookies: readonly string[]): Response {
  for (const cookie of cookies) response.headers.append('set-cookie', cookie)
  return response
}
