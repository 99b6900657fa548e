import { accessSync, constants, mkdtempSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import process from 'node:process'

/** Where Debian keeps servers, which is on nobody's PATH. */
const systemDirectories = ['/usr/sbin', '/usr/local/sbin', '/sbin']

/** The path of a program, or `undefined`. */
export function findProgram(name: string): string | undefined {
  const directories = [...(process.env['PATH'] ?? '').split(delimiter), ...systemDirectories]
  return directories.map((directory) => join(directory, name)).find((path) => isUsable(path, constants.X_OK))
}

/** Whether a file can be read, or with `mode` executed. */
export function isUsable(path: string, mode: number = constants.R_OK): boolean {
  try {
    accessSync(path, mode)
    return true
  } catch {
    return false
  }
}

/** A directory of its own for a program's files. */
export function workDirectory(name: string): string {
  return mkdtempSync(join(tmpdir(), `gatehouse-${name}-`))
}

/** A port nobody listens on, for programs that must be told one. */
export function freePort(): Promise<number> {
  const server = createServer()
  return new Promise((resolve) => {
    server.listen(0, '127.0.0.1', () => {
      const address = server.address()
      server.close(() => resolve(typeof address === 'object' && address ? address.port : 0))
    })
  })
}
