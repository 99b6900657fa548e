import type { Transaction } from 'kysely'
import type { Random } from '../../kit/random.ts'
import type { RealmTables } from '../tables.ts'

/** What every step of an import works with. */
export interface ImportInto {
  readonly transaction: Transaction<RealmTables>
  readonly random: Random
  readonly realmId: string
}
