import { existsSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'

const sqliteBusy = 5

/**
 * Whether another connection has this SQLite file open, of this process or any other. A database leaves WAL mode only
 * for the one connection it has, so trying tells; what is there is kept, and any connection makes it WAL again.
 */
export function isDatabaseInUse(file: string): boolean {
  if (!existsSync(file)) return false
  const database = new DatabaseSync(file, { timeout: 0 })
  try {
    database.exec('pragma journal_mode = delete')
    return false
  } catch (error) {
    return error instanceof Error && 'errcode' in error && error.errcode === sqliteBusy
  } finally {
    database.close()
  }
}
