import { openSqlRecords } from '../../src/store/records.ts'
import { testDatabase } from '../world/database.ts'
import { journalSuite } from './journal-suite.ts'

journalSuite('a journal in SQLite', async (clock) => {
  const database = await testDatabase()
  return () => openSqlRecords(database, clock)
})
