import type { Transaction } from 'kysely'
import { type Random, randomUuid } from '../../kit/random.ts'
import type { RealmTables } from '../tables.ts'

/** What every step of an import works with. */
export interface ImportInto {
  readonly transaction: Transaction<RealmTables>
  readonly random: Random
  readonly realmId: string
}

/** The id a row of the file asks for, or a new one where it asks for none, or for one that another realm's row has. */
export async function freeId(
  table: 'realms' | 'realm_clients' | 'realm_client_scopes' | 'realm_roles' | 'realm_groups' | 'realm_users',
  wanted: string | undefined,
  { transaction, random }: Pick<ImportInto, 'transaction' | 'random'>,
): Promise<string> {
  if (wanted === undefined) return randomUuid(random)
  const taken = await transaction.selectFrom(table).select('id').where('id', '=', wanted).executeTakeFirst()
  return taken ? randomUuid(random) : wanted
}
