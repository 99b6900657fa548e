import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type RunningGatehouse, startGatehouse } from '../../src/app/start-gatehouse.ts'

/** A whole chain on a free port, over a directory of its own. */
export interface TestGatehouse extends RunningGatehouse {
  readonly dataDirectory: string
  /** The generated password of a demo user. */
  passwordOf(username: string): string
}

/** Starts what `gatehouse up` starts. Give `dataDirectory` and `port` of an earlier one to start it again. */
export async function testGatehouse({
  from,
  dataDirectory = mkdtempSync(join(tmpdir(), 'gatehouse-test-')),
  port = 0,
  publicUrl,
}: {
  from?: string
  dataDirectory?: string
  port?: number
  /** The origin of a server in front; its own address unless given. */
  publicUrl?: string
} = {}): Promise<TestGatehouse> {
  const running = await startGatehouse({
    port,
    dataDirectory,
    publicUrl,
    source: from === undefined ? { kind: 'default' } : { kind: 'directory', path: from },
    reset: false,
    logLevel: 'error',
  })
  return {
    ...running,
    dataDirectory,
    passwordOf(username) {
      const user = running.newUsers.find((one) => one.username === username)
      if (!user) throw new Error(`this run made no user \`${username}\``)
      return user.password
    },
  }
}
