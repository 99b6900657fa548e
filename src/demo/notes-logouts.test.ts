import { expect, test } from 'vitest'
import { migrate } from '../store/migrate.ts'
import { storeMigrations } from '../store/migrations.ts'
import { openSqlRecords, type RecordTables } from '../store/records.ts'
import { openSqlite } from '../store/sqlite.ts'
import { openNotesLogouts } from './notes-logouts.ts'

test('an older sign-out that arrives late takes nothing back of a newer one', async () => {
  const clock = { now: () => 1_700_000_000_000 }
  const database = openSqlite<RecordTables>(':memory:')
  await migrate(database, storeMigrations)
  const ended = openSqlRecords(database, clock).collection<number>('ended')
  const logouts = openNotesLogouts({ ended, sessionLifetime: 60_000, clock })
  for (const issuedAt of [2000, 1000]) await logouts.end({ issuer: 'https://idp', subject: 'ada', issuedAt })
  const user = { subject: 'ada', since: 1500 } as Parameters<typeof logouts.hasEnded>[0]
  expect(await logouts.hasEnded(user)).toBe(true)
  expect(await logouts.hasEnded({ ...user, since: 2001 })).toBe(false)
})
