import type { Kysely } from 'kysely'
import { type Migration, Migrator } from 'kysely/migration'
import { GatehouseError } from '../kit/errors.ts'

/** Schema changes by name, applied in the order of their names. Names start with a number: `0001-records`. */
export type Migrations = Readonly<Record<string, Migration>>

/**
 * Brings the database to the newest schema; safe to run from several processes at once.
 * @throws GatehouseError `migration` with the failed step.
 */
export async function migrate<Tables>(database: Kysely<Tables>, migrations: Migrations): Promise<void> {
  const migrator = new Migrator({
    db: database,
    provider: { getMigrations: async () => ({ ...migrations }) },
    // Each room numbers its own: what the store adds comes before what a part has had all along.
    allowUnorderedMigrations: true,
  })
  const { error, results } = await migrator.migrateToLatest()
  if (error === undefined) return
  const failed = results?.find(({ status }) => status === 'Error')?.migrationName ?? 'unknown step'
  throw new GatehouseError('migration', `the database could not be migrated (\`${failed}\`)`, { cause: error })
}
