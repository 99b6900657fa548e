import type { Clock } from '../kit/clock.ts'
import { type Random, randomText } from '../kit/random.ts'
import { type Collection, never } from '../store/records.ts'

/** A note. */
export interface Note {
  readonly id: string
  readonly text: string
  /** When it was written, milliseconds since the Unix epoch. */
  readonly at: number
}

/** Everyone's notes, one record a person. */
export interface NoteShelf {
  /** Newest first. */
  list(owner: string): Promise<readonly Note[]>
  /** Puts a note on top; says why not where it is empty, too long, or one too many. */
  add(owner: string, text: string): Promise<{ readonly problem: string | undefined }>
  /** Removes a note of this owner; nothing where there is none. */
  remove(owner: string, id: string): Promise<void>
}

/** Characters a note may have. */
export const maxNoteLength = 2000
const maxNotes = 100

/** Opens the shelf over stored records. */
export function openNoteShelf({
  notes,
  clock,
  random,
}: {
  readonly notes: Collection<readonly Note[]>
  readonly clock: Clock
  readonly random: Random
}): NoteShelf {
  const list = async (owner: string) => (await notes.find(owner)) ?? []
  return {
    list,
    async add(owner, text) {
      const problem = problemOf(text)
      if (problem !== undefined) return { problem }
      const note = { id: randomText(random, 9), text: text.trim(), at: clock.now() }
      if (await notes.create(owner, [note], never)) return { problem: undefined }
      const kept = await notes.update(owner, (old) => (old.length < maxNotes ? [note, ...old] : undefined))
      const isKept = kept?.some(({ id }) => id === note.id) ?? false
      return { problem: isKept ? undefined : `There is room for ${maxNotes} notes. Delete one first.` }
    },
    async remove(owner, id) {
      await notes.update(owner, (old) => old.filter((note) => note.id !== id))
    },
  }
}

function problemOf(text: string): string | undefined {
  if (text.trim() === '') return 'Write something first.'
  return text.length > maxNoteLength ? `Keep it to ${maxNoteLength} characters; this has ${text.length}.` : undefined
}
