import { openSqliteStore } from '../../src/proxy/sessions/sqlite.ts'
import { sessionStoreSuite } from './session-store.ts'

sessionStoreSuite('sessions in SQLite', ({ options }) => openSqliteStore(options))
