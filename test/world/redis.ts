import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { silentLog } from '../../src/kit/log.ts'
import { openRedis, type RedisConnection } from '../../src/store/redis.ts'
import type { RedisSettings } from '../../src/store/redis-options.ts'
import { findProgram, freePort } from './programs.ts'

/** A throw-away server. */
export interface TestRedis {
  readonly url: string
  readonly port: number
  readonly pid: number
  /** Makes it stop answering without closing a connection, and answer again. */
  freeze(): void
  thaw(): void
  stop(): Promise<void>
}

/** The server's program, where it is installed. */
export const redisServer = findProgram('redis-server')

/** Starts a server; `args` are added to its command line. */
export async function startRedis(args: readonly string[] = [], port?: number): Promise<TestRedis> {
  const directory = mkdtempSync(join(tmpdir(), 'gatehouse-redis-'))
  return startServer(['--save', '', '--dir', directory, ...args], port ?? (await freePort()), directory)
}

async function startServer(args: readonly string[], port: number, directory: string): Promise<TestRedis> {
  const all = [...args, '--port', String(port), '--bind', '127.0.0.1']
  const child = spawn(redisServer ?? 'redis-server', all, { stdio: ['ignore', 'pipe', 'inherit'] })
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()))
  let output = ''
  await new Promise<void>((resolve, reject) => {
    child.stdout.on('data', (chunk) => {
      output += chunk
      if (/Ready to accept connections|Sentinel ID is/.test(output)) resolve()
    })
    child.once('exit', () => reject(new Error(`redis-server ended at once:\n${output}`)))
  })
  return {
    url: `redis://127.0.0.1:${port}`,
    port,
    pid: child.pid ?? 0,
    freeze: () => void child.kill('SIGSTOP'),
    thaw: () => void child.kill('SIGCONT'),
    async stop() {
      child.kill('SIGCONT')
      child.kill('SIGKILL')
      await ended
      rmSync(directory, { recursive: true, force: true })
    },
  }
}

/** Starts one sentinel that watches a primary on this machine as `platform` and is enough to replace it. */
export async function startSentinel(primaryPort: number): Promise<TestRedis> {
  const directory = mkdtempSync(join(tmpdir(), 'gatehouse-sentinel-'))
  const file = join(directory, 'sentinel.conf')
  const lines = [
    `sentinel monitor platform 127.0.0.1 ${primaryPort} 1`,
    'sentinel down-after-milliseconds platform 1000',
    'sentinel failover-timeout platform 5000',
  ]
  writeFileSync(file, `${lines.join('\n')}\n`)
  return startServer([file, '--sentinel'], await freePort(), directory)
}

/** Settings for a single server. */
export function redisSettings(url: string, more: Partial<RedisSettings> = {}): RedisSettings {
  const plain = { username: '', password: '', caFile: '', skipTlsVerify: false, idleTimeoutSeconds: 0 }
  return { topology: { kind: 'single', url }, ...plain, ...more }
}

/** A connection to it. */
export function connectRedis({ url }: TestRedis): RedisConnection {
  return openRedis(redisSettings(url), silentLog)
}
