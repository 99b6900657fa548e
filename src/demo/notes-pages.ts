import { html } from 'hono/html'
import { alert } from '../http/views/alert.ts'
import { errorPage } from '../http/views/error-page.ts'
import { field, hiddenFields } from '../http/views/field.ts'
import type { Html } from '../http/views/html.ts'
import { page } from '../http/views/page.ts'
import { groupBadges, signedInAs } from '../http/views/person.ts'
import { maxNoteLength, type Note } from './note-shelf.ts'
import type { NotesSession } from './notes-cookies.ts'

/** What every page of the app needs. */
export interface NotesLook {
  /** The app's own path (`/notes`). */
  readonly basePath: string
  readonly requestId: string | undefined
}

/** All notes, and a form for one more; `draft` is what could not be added, and why. */
export function notesPage(
  { session, notes, draft }: { session: NotesSession; notes: readonly Note[]; draft?: { text: string; error: string } },
  look: NotesLook,
): Html {
  const body = html`<div class="hero">
<h1>Your notes</h1>
<p class="muted">This app signs you in by itself, with OpenID Connect. The gateway lets it through. <a href="/">All apps</a></p>
</div>
<div class="columns">
<section class="card" aria-labelledby="new">
<h2 id="new">New note</h2>
<form class="form" method="post" action="${look.basePath}/">
${hiddenFields({ csrf: session.csrf })}
${field({ label: 'Text', name: 'text', type: 'textarea', value: draft?.text ?? '', maxLength: maxNoteLength, isRequired: true, error: draft?.error })}
<p class="actions"><button class="button" type="submit">Add note</button></p>
</form>
</section>
<section class="card" aria-labelledby="groups">
<h2 id="groups">Your groups</h2>
<p class="muted">From the token’s <code>groups</code> claim, without the leading slash Keycloak gives them.</p>
${groupBadges(session.groups)}
</section>
</div>
<section class="section" aria-labelledby="all">
<h2 id="all">${notes.length === 1 ? '1 note' : `${notes.length} notes`}</h2>
${
  notes.length === 0
    ? html`<p class="muted">Nothing here yet.</p>`
    : html`<ul class="list">${notes.map((note) => html`<li>${noteBody(note, html`<a href="${look.basePath}/n/${note.id}">${timeOf(note)}</a>`)}${deleteForm(note, session, look)}</li>`)}</ul>`
}
</section>`
  return signedInPage({ title: 'Your notes', body, session }, look)
}

/** One note, at its own address. */
export function notePage({ session, note }: { session: NotesSession; note: Note }, look: NotesLook): Html {
  const body = html`<div class="hero"><h1>Note</h1></div>
<div class="list"><div>${noteBody(note, timeOf(note))}${deleteForm(note, session, look)}</div></div>
<p class="section"><a class="button secondary" href="${look.basePath}/">All notes</a></p>`
  return signedInPage({ title: 'Note', body, session }, look)
}

/** Where signing out of the app ends. */
export function notesSignedOutPage({ isEverywhere }: { isEverywhere: boolean }, look: NotesLook): Html {
  const notEverywhere = alert(
    'The identity provider could not be reached, so you are still signed in there. Close the browser to end that too.',
    'notice',
  )
  const body = html`<section class="card">
<span class="emblem success" aria-hidden="true"></span>
<h1>You are signed out of Notes</h1>
${isEverywhere ? '' : notEverywhere}
<p class="muted">Your notes stay here for the next time.</p>
<p class="actions"><a class="button" href="${look.basePath}/">Sign in again</a></p>
</section>`
  return page({ title: 'Signed out', body, ...brandOf(look) })
}

/** A problem, in the app's own look. */
export function notesErrorPage(
  problem: { title: string; message: string; advice?: string; action: { href: string; text: string } },
  look: NotesLook,
): Html {
  return errorPage({ ...problem, ...brandOf(look) })
}

function signedInPage(
  { title, body, session }: { title: string; body: Html; session: NotesSession },
  look: NotesLook,
): Html {
  const signOut = html`<form method="post" action="${look.basePath}/sign-out">${hiddenFields({ csrf: session.csrf })}
<button class="button secondary" type="submit">Sign out</button></form>`
  const topbar = signedInAs(session.name, signOut)
  return page({ title, body, width: 'wide', brandHref: `${look.basePath}/`, topbar, script: true, ...brandOf(look) })
}

function brandOf({ basePath, requestId }: NotesLook) {
  return { brandName: 'Notes', assetsPath: `${basePath}/static`, requestId }
}

function noteBody(note: Note, when: Html): Html {
  return html`<div><p class="note">${note.text}</p><p class="small muted">${when}</p></div>`
}

function timeOf({ at }: Note): Html {
  const iso = new Date(at).toISOString()
  return html`<time datetime="${iso}">${iso.slice(0, 16).replace('T', ' ')} UTC</time>`
}

function deleteForm({ id, text }: Note, { csrf }: NotesSession, { basePath }: NotesLook): Html {
  return html`<form method="post" action="${basePath}/n/${id}/delete">${hiddenFields({ csrf })}
<button class="button quiet" type="submit" aria-label="Delete note: ${text.slice(0, 40)}">Delete</button></form>`
}
