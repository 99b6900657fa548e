/**
 * Room `store`: the database (Kysely over `node:sqlite`; PostgreSQL follows), its migrations, and short-lived records
 * with expiry. It knows tables and rows, not what they mean.
 */
import type { Kysely } from 'kysely'
import type { Clock } from '../kit/clock.ts'
import { type Journal, type JournalTables, openSqlJournal } from './journal.ts'

/** Short-lived records of one kind (codes, refresh handles, sessions), JSON values by id, gone at their expiry. */
export interface Collection<Value> {
  /** Stores a new record; `false` where a live one has that id already. */
  create(id: string, value: Value, expiresAt: number): Promise<boolean>
  /** The live record, or `undefined`. */
  find(id: string): Promise<Value | undefined>
  /**
   * Counts one use and returns the record with the number of uses including this one, in one atomic statement: of any
   * number of concurrent callers over any number of replicas exactly one sees `uses === 1`.
   */
  use(id: string): Promise<{ readonly value: Value; readonly uses: number } | undefined>
  /**
   * Replaces the value by `change(old)`, retried until no one else changed it in between; `undefined` from `change`
   * leaves it. Returns the value that stands afterwards, `undefined` where there is no live record.
   */
  update(id: string, change: (old: Value) => Value | undefined, expiresAt?: number): Promise<Value | undefined>
  /** Removes the record; `true` for the one caller that did. */
  delete(id: string): Promise<boolean>
}

/** Opens collections and journals by name. */
export interface Records {
  collection<Value>(name: string): Collection<Value>
  journal<Entry>(name: string): Journal<Entry>
  /** Deletes what has expired; call it now and then. Returns how many. */
  purge(): Promise<number>
}

/** The table behind `Records`. Times are milliseconds since the Unix epoch. */
export interface RecordTables extends JournalTables {
  records: { collection: string; id: string; value: string; uses: number; version: number; expires_at: number }
}

/** For `expiresAt` of records that live until they are deleted. */
export const never = Number.MAX_SAFE_INTEGER

/** Records in SQL. Every redemption is one statement. */
export function openSqlRecords(database: Kysely<RecordTables>, clock: Clock): Records {
  return {
    collection: <Value>(name: string) => sqlCollection<Value>(name, database, clock),
    journal: <Entry>(name: string) => {
      const typed = database as unknown as Kysely<JournalTables> // its table is among the records'
      return openSqlJournal<Entry>(name, { database: typed, clock })
    },
    purge: async () => (await purged(database, 'records', clock)) + (await purged(database, 'journal', clock)),
  }
}

async function purged(database: Kysely<RecordTables>, table: 'records' | 'journal', { now }: Clock): Promise<number> {
  const { numDeletedRows } = await database.deleteFrom(table).where('expires_at', '<=', now()).executeTakeFirst()
  return Number(numDeletedRows)
}

type RecordRow = Pick<RecordTables['records'], 'value' | 'version'>

function sqlCollection<Value>(name: string, database: Kysely<RecordTables>, clock: Clock): Collection<Value> {
  // The values of a collection are written by this very collection, so their type is what was put in.
  const parse = (text: string) => JSON.parse(text) as Value

  // compiled once: it is run for every session that is not remembered
  const findQuery = database
    .selectFrom('records')
    .select(['value', 'version'])
    .where('collection', '=', name)
    .where('id', '=', '')
    .where('expires_at', '>', 0)
    .compile()
  const findRow = async (id: string) => {
    const { rows } = await database.executeQuery<RecordRow>({ ...findQuery, parameters: [name, id, clock.now()] })
    return rows[0]
  }

  return {
    async create(id, value, expiresAt) {
      const row = { value: JSON.stringify(value), uses: 0, version: 0, expires_at: expiresAt }
      const { numInsertedOrUpdatedRows } = await database
        .insertInto('records')
        .values({ collection: name, id, ...row })
        .onConflict((conflict) =>
          conflict.columns(['collection', 'id']).doUpdateSet(row).where('records.expires_at', '<=', clock.now()),
        )
        .executeTakeFirst()
      return Number(numInsertedOrUpdatedRows) > 0
    },

    async find(id) {
      const row = await findRow(id)
      return row && parse(row.value)
    },

    async use(id) {
      const row = await database
        .updateTable('records')
        .set((eb) => ({ uses: eb('uses', '+', 1) }))
        .where('collection', '=', name)
        .where('id', '=', id)
        .where('expires_at', '>', clock.now())
        .returning(['value', 'uses'])
        .executeTakeFirst()
      return row && { value: parse(row.value), uses: row.uses }
    },

    async update(id, change, expiresAt) {
      for (;;) {
        const row = await findRow(id)
        if (!row) return undefined
        const old = parse(row.value)
        const value = change(old)
        if (value === undefined) return old
        const { numUpdatedRows } = await database
          .updateTable('records')
          .set({
            value: JSON.stringify(value),
            version: row.version + 1,
            ...(expiresAt === undefined ? {} : { expires_at: expiresAt }),
          })
          .where('collection', '=', name)
          .where('id', '=', id)
          .where('version', '=', row.version)
          .executeTakeFirst()
        if (Number(numUpdatedRows) > 0) return value
      }
    },

    async delete(id) {
      const { numDeletedRows } = await database
        .deleteFrom('records')
        .where('collection', '=', name)
        .where('id', '=', id)
        .executeTakeFirst()
      return Number(numDeletedRows) > 0
    },
  }
}
