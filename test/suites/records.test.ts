import { openSqlRecords } from '../../src/store/records.ts'
import { testDatabase } from '../world/database.ts'
import { recordsSuite } from './records-suite.ts'

recordsSuite('records in SQLite', async (clock) => openSqlRecords(await testDatabase(), clock))
