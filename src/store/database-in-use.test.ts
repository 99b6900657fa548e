import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { sql } from 'kysely'
import { expect, test } from 'vitest'
import { isDatabaseInUse } from './database-in-use.ts'
import { openSqlite } from './sqlite.ts'

const newFile = () => join(mkdtempSync(join(tmpdir(), 'gatehouse-store-')), 'gatehouse.db')

test('a database is in use from its first connection to its last', async () => {
  const file = newFile()
  expect(isDatabaseInUse(file)).toBe(false)
  const database = openSqlite(file)
  await sql`create table kept (x integer)`.execute(database)
  expect(isDatabaseInUse(file)).toBe(true)
  await sql`insert into kept values (7)`.execute(database)
  await database.destroy()
  expect(isDatabaseInUse(file)).toBe(false)

  const again = openSqlite(file)
  expect((await sql`select x from kept`.execute(again)).rows).toEqual([{ x: 7 }])
  await again.destroy()
})

test('what is no database is not in use', () => {
  const file = newFile()
  writeFileSync(file, 'not a database at all, but long enough to look at')
  expect(isDatabaseInUse(file)).toBe(false)
})
