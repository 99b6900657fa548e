import { spawnSync } from 'node:child_process'
import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { isInstalled, treeCpuSeconds } from './process.ts'

/** What one load run showed. */
export interface LoadResult {
  /** Requests per second of the server's CPU time. */
  readonly perCpuSecond: number
  readonly p50Milliseconds: number
  readonly p99Milliseconds: number
  readonly requests: number
  /** Answers that were not 2xx or 3xx, and socket errors. */
  readonly errors: number
}

/** The request to repeat. */
export interface Load {
  readonly url: string
  readonly headers?: Readonly<Record<string, string>>
  readonly pid: number
  readonly seconds?: number
  readonly connections?: number
}

/** Whether load can be made here: wrk is the generator. */
export const canLoad = isInstalled('wrk')

/** Repeats one request with wrk on the second processor, after a warm-up. */
export function runLoad({ url, headers = {}, pid, seconds = 5, connections = 32 }: Load): LoadResult {
  const script = wrkScript(headers)
  wrk(url, { script, seconds: 2, connections })
  const before = treeCpuSeconds(pid)
  const text = wrk(url, { script, seconds, connections })
  const cpu = treeCpuSeconds(pid) - before
  const numbers = /RESULT (\d+) (\d+) ([\d.]+) ([\d.]+)/.exec(text)
  if (!numbers) throw new Error(`wrk printed no result:\n${text}`)
  const [requests, errors, p50, p99] = numbers.slice(1).map(Number)
  return {
    perCpuSecond: (requests ?? 0) / cpu,
    p50Milliseconds: (p50 ?? 0) / 1000,
    p99Milliseconds: (p99 ?? 0) / 1000,
    requests: requests ?? 0,
    errors: errors ?? 0,
  }
}

function wrkScript(headers: Readonly<Record<string, string>>): string {
  const lines = Object.entries(headers).map(
    ([name, value]) => `wrk.headers[${JSON.stringify(name)}] = ${JSON.stringify(value)}`,
  )
  lines.push(
    'function done(summary, latency)',
    '  local e = summary.errors',
    '  io.write(string.format("RESULT %d %d %f %f\\n", summary.requests,',
    '    e.connect + e.read + e.write + e.status + e.timeout, latency:percentile(50), latency:percentile(99)))',
    'end',
  )
  const file = join(mkdtempSync(join(tmpdir(), 'gatehouse-bench-')), 'load.lua')
  writeFileSync(file, lines.join('\n'))
  return file
}

function wrk(
  url: string,
  { script, seconds, connections }: { script: string; seconds: number; connections: number },
): string {
  const args = ['-c', '1', 'wrk', '-t', '1', '-c', String(connections), '-d', `${seconds}s`, '-s', script, url]
  const { stdout, stderr, status } = spawnSync('taskset', args, { encoding: 'utf8' })
  if (status !== 0) throw new Error(`wrk failed: ${stderr}`)
  return stdout
}
