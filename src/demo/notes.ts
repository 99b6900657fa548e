import { Hono } from 'hono'
import { bodyFault } from '../http/forms.ts'
import type { Part } from '../http/part.ts'
import { assetResponse } from '../http/views/assets.ts'
import { redirectTo } from '../oauth/responses.ts'
import type { Collection } from '../store/records.ts'
import { type Note, openNoteShelf } from './note-shelf.ts'
import { openNotesCookies, sessionLifetime } from './notes-cookies.ts'
import { mountDesk } from './notes-desk.ts'
import { mountLogin } from './notes-login.ts'
import { openNotesLogouts } from './notes-logouts.ts'
import { type NotesApp, type NotesParts, notesProblem, problems } from './notes-parts.ts'
import { openSignIn, type SignInOptions } from './notes-sign-in.ts'

/** What the notes app is opened with. `publicUrl` is its address, no trailing slash (`http://localhost:8080/notes`). */
export interface NotesOptions extends SignInOptions {
  /** Seals its cookies; the same on every replica and after a restart. */
  readonly stateSecret: string
  /** Where notes are kept, one record a person. */
  readonly notes: Collection<readonly Note[]>
  /** Where sign-outs are kept that the provider told of. */
  readonly endedSessions: Collection<number>
}

/**
 * Opens a small notes app that signs people in by itself: an OpenID Connect client of `issuer` (redirect URI
 * `{publicUrl}/callback`, after signing out `{publicUrl}/signed-out`, told of sign-outs elsewhere at
 * `{publicUrl}/backchannel-logout`), exempt from the gateway's own sign-in.
 */
export function openNotes(options: NotesOptions): Part {
  const { publicUrl, stateSecret, endedSessions: ended, clock, random, log } = options
  const parts: NotesParts = {
    basePath: new URL(publicUrl).pathname,
    signIn: openSignIn(options),
    shelf: openNoteShelf(options),
    cookies: openNotesCookies({ publicUrl, secret: stateSecret, clock, random }),
    logouts: openNotesLogouts({ ended, sessionLifetime, clock }),
    random,
    log,
  }
  const app: NotesApp = new Hono()
  app.get(parts.basePath, () => redirectTo(`${parts.basePath}/`))
  app.get(`${parts.basePath}/static/:file`, (c) => assetResponse(c.req.param('file'), c.req.raw))
  mountLogin(app, parts)
  mountDesk(app, parts)
  app.notFound((c) => notesProblem(c, parts, { status: 404, ...problems.noSuchPage }))
  app.onError((error, c) => {
    const fault = bodyFault(error)
    if (fault !== undefined) return notesProblem(c, parts, { status: fault, ...problems.unreadable })
    log.error('page failed', { error, requestId: c.env?.requestId })
    return notesProblem(c, parts, { status: 500, ...problems.failed })
  })
  return { fetch: (request, context) => app.fetch(request, context) }
}
