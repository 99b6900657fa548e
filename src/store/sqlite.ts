import { DatabaseSync, type SQLInputValue } from 'node:sqlite'
import { Kysely, SqliteDialect, type SqliteStatement } from 'kysely'

/** Opens a SQLite file (`:memory:` for a throw-away one) in WAL mode, writable by several processes. */
export function openSqlite<Tables>(file: string): Kysely<Tables> {
  return new Kysely<Tables>({ dialect: new SqliteDialect({ database: async () => openFile(file) }) })
}

/** `node:sqlite` in the shape Kysely's SQLite dialect drives. */
function openFile(file: string) {
  const database = new DatabaseSync(file, { timeout: 5000 })
  database.exec('pragma journal_mode = wal; pragma synchronous = normal; pragma foreign_keys = on')
  const statements = new Map<string, SqliteStatement>()
  const prepared = (sql: string): SqliteStatement => {
    const known = statements.get(sql)
    if (known) return known
    if (statements.size >= 500) statements.clear()
    const statement = database.prepare(sql)
    const fresh = {
      reader: statement.columns().length > 0,
      all: (parameters: readonly unknown[]) => statement.all(...inputValues(parameters)),
      run: (parameters: readonly unknown[]) => statement.run(...inputValues(parameters)),
      iterate: (parameters: readonly unknown[]) => statement.iterate(...inputValues(parameters)),
    }
    statements.set(sql, fresh)
    return fresh
  }
  return { close: () => database.close(), prepare: prepared }
}

function inputValues(parameters: readonly unknown[]): SQLInputValue[] {
  // Kysely hands over what the tables' types allow: text, numbers, null and buffers.
  return parameters as SQLInputValue[]
}
