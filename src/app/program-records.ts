import { systemClock } from '../kit/clock.ts'
import type { Log } from '../kit/log.ts'
import { migrate } from '../store/migrate.ts'
import { storeMigrations } from '../store/migrations.ts'
import { openSqlRecords, type Records, type RecordTables } from '../store/records.ts'
import { openSqlite } from '../store/sqlite.ts'

/** Where a program of the proxy's keeps what lives on the server. */
export interface ProgramRecords {
  readonly records: Records
  closeDatabase(): Promise<void>
}

const purgeMilliseconds = 10 * 60_000

/**
 * Opens the database file of a program: ended sessions, tokens, and the sessions themselves with the store `sqlite`.
 * Without a `file` they end with the process. @throws an error of the file system for a file that cannot be had.
 */
export async function openProgramRecords(file: string, log: Log): Promise<ProgramRecords> {
  const database = openSqlite<RecordTables>(file || ':memory:')
  await migrate(database, storeMigrations)
  const records = openSqlRecords(database, systemClock)
  const purge = () => records.purge().catch((cause: unknown) => log.warn('expired records stay', { cause }))
  const purging = setInterval(() => void purge(), purgeMilliseconds).unref()
  return {
    records,
    async closeDatabase() {
      clearInterval(purging)
      await database.destroy()
    },
  }
}
