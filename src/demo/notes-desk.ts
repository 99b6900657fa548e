import { pageResponse } from '../http/views/page.ts'
import { redirectTo } from '../oauth/responses.ts'
import { ownForm, signedIn } from './notes-login.ts'
import { notePage, notesPage } from './notes-pages.ts'
import { lookOf, type NotesApp, type NotesParts, notesProblem, problems } from './notes-parts.ts'

/** Reading, adding and deleting notes. */
export function mountDesk(app: NotesApp, parts: NotesParts): void {
  const { basePath, shelf } = parts
  const guard = signedIn(parts)
  const form = ownForm(parts)

  app.get(`${basePath}/`, guard, async (c) => {
    const session = c.get('session')
    return pageResponse(notesPage({ session, notes: await shelf.list(session.subject) }, lookOf(c, parts)))
  })

  app.post(`${basePath}/`, guard, form, async (c) => {
    const session = c.get('session')
    const text = c.get('form').get('text') ?? ''
    const { problem } = await shelf.add(session.subject, text)
    if (problem === undefined) return redirectTo(`${basePath}/`, 303)
    const notes = await shelf.list(session.subject)
    return pageResponse(notesPage({ session, notes, draft: { text, error: problem } }, lookOf(c, parts)), {
      status: 422,
    })
  })

  app.get(`${basePath}/n/:id`, guard, async (c) => {
    const session = c.get('session')
    const note = (await shelf.list(session.subject)).find(({ id }) => id === c.req.param('id'))
    if (!note) return notesProblem(c, parts, { status: 404, ...problems.noSuchNote })
    return pageResponse(notePage({ session, note }, lookOf(c, parts)))
  })

  app.post(`${basePath}/n/:id/delete`, guard, form, async (c) => {
    await shelf.remove(c.get('session').subject, c.req.param('id'))
    return redirectTo(`${basePath}/`, 303)
  })
}
