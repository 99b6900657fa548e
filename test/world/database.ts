import type { Kysely } from 'kysely'
import { type Migrations, migrate } from '../../src/store/migrate.ts'
import { storeMigrations } from '../../src/store/migrations.ts'
import type { RecordTables } from '../../src/store/records.ts'
import type { SigningKeyTables } from '../../src/store/signing-keys.ts'
import { openSqlite } from '../../src/store/sqlite.ts'

/** A migrated database; in memory unless a file is named. */
export async function testDatabase<Tables = RecordTables & SigningKeyTables>({
  file = ':memory:',
  migrations = {},
}: {
  file?: string
  migrations?: Migrations
} = {}): Promise<Kysely<Tables & RecordTables & SigningKeyTables>> {
  const database = openSqlite<Tables & RecordTables & SigningKeyTables>(file)
  await migrate(database, { ...storeMigrations, ...migrations })
  return database
}
