import type { Generated, Kysely } from 'kysely'
import type { Clock } from '../kit/clock.ts'

/** What happened, for every replica to read in the same order: JSON values, each gone at its expiry. */
export interface Journal<Entry> {
  append(entry: Entry, expiresAt: number): Promise<void>
  /** Live entries that were appended after `position`, oldest first; all of them after 0. */
  readAfter(position: number): Promise<readonly JournalLine<Entry>[]>
  /** Calls `listener` when anyone appends, or may have, where the store tells. */
  onAppend?(listener: () => void): void
}

/** An entry and where it stands; positions grow. `expiresAt` in milliseconds since the Unix epoch. */
export interface JournalLine<Entry> {
  readonly position: number
  readonly entry: Entry
  readonly expiresAt: number
}

/** The table behind journals. */
export interface JournalTables {
  journal: { position: Generated<number>; name: string; entry: string; expires_at: number }
}

interface JournalRow {
  readonly position: number
  readonly entry: string
  readonly expires_at: number
}

/**
 * A journal in SQL. Positions are given when a row is written, and SQLite has one writer at a time, so nobody reads past
 * a row that is yet to come.
 */
export function openSqlJournal<Entry>(
  name: string,
  { database, clock }: { database: Kysely<JournalTables>; clock: Clock },
): Journal<Entry> {
  // compiled once: it is run for every session that is not remembered
  const readQuery = database
    .selectFrom('journal')
    .select(['position', 'entry', 'expires_at'])
    .where('name', '=', name)
    .where('position', '>', 0)
    .where('expires_at', '>', 0)
    .orderBy('position')
    .compile()
  return {
    async append(entry, expiresAt) {
      await database
        .insertInto('journal')
        .values({ name, entry: JSON.stringify(entry), expires_at: expiresAt })
        .execute()
    },
    async readAfter(position) {
      const parameters = [name, position, clock.now()]
      const { rows } = await database.executeQuery<JournalRow>({ ...readQuery, parameters })
      // Written by this very journal, so an entry's type is what was appended.
      return rows.map(({ position: at, entry, expires_at: expiresAt }) => ({
        position: Number(at),
        entry: JSON.parse(entry) as Entry,
        expiresAt: Number(expiresAt),
      }))
    },
  }
}
