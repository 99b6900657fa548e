import { execFile, spawnSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { findProgram, workDirectory } from '../test/world/programs.ts'
import { cpuSeconds, pinned } from './process.ts'

/** What one load run showed. */
export interface LoadResult {
  /** Requests per second of the servers' CPU time. */
  readonly perCpuSecond: number
  /** Requests per second of the wall's time: as many as go at once. */
  readonly perSecond: number
  readonly p50Milliseconds: number
  readonly p99Milliseconds: number
  readonly requests: number
}

/** A request to repeat. */
export interface Load {
  readonly url: string
  readonly headers?: Readonly<Record<string, string>>
  /** A header each request gets the next value of, from the first again after the last, the warm-up included. */
  readonly inTurn?: { readonly name: string; readonly values: readonly string[] }
  /** Requests at one time; 32 unless given. */
  readonly connections?: number
  /** The processes whose CPU time the answers cost. */
  readonly pids: readonly number[]
}

/** The processor servers run on, and the one load and backends do. */
export const serverCpu = 0
export const loadCpu = 1

const usualConnections = 32
const warmUpSeconds = 2
const seconds = 3

const wrkPath = findProgram('wrk')

/** Whether load can be made here: wrk is the generator. */
export const canLoad = wrkPath !== undefined

/** Repeats a request with wrk, after a warm-up. @throws where an answer is an error, since that would be another job. */
export function runLoad({ url, headers = {}, inTurn, pids, connections }: Load): LoadResult {
  const script = wrkScript(headers, inTurn)
  wrk(url, { script, connections, duration: warmUpSeconds })
  const before = cpuSeconds(pids)
  const text = wrk(url, { script, connections, duration: seconds })
  const cpu = cpuSeconds(pids) - before
  const numbers = /RESULT (\d+) (\d+) ([\d.]+) ([\d.]+)/.exec(text)
  if (!numbers) throw new Error(`wrk printed no result:\n${text}`)
  const [requests = 0, errors = 0, p50 = 0, p99 = 0] = numbers.slice(1).map(Number)
  if (errors > 0) throw new Error(`${errors} of ${requests} answers of ${url} were errors`)
  const latencies = { p50Milliseconds: p50 / 1000, p99Milliseconds: p99 / 1000 }
  return { perCpuSecond: requests / cpu, perSecond: requests / seconds, ...latencies, requests }
}

/** Repeats a request for that long; other things may be done meanwhile. Errors are counted. */
export async function keepLoad({
  url,
  headers = {},
  inTurn,
  seconds: duration,
}: Omit<Load, 'pids'> & { readonly seconds: number }): Promise<{ readonly requests: number; readonly errors: number }> {
  const [program, ...args] = wrkCommand(url, { script: wrkScript(headers, inTurn), duration })
  const { stdout } = await promisify(execFile)(program, args, { encoding: 'utf8' })
  const [requests = 0, errors = 0] = (/RESULT (\d+) (\d+)/.exec(stdout) ?? []).slice(1).map(Number)
  return { requests, errors }
}

function wrkScript(headers: Readonly<Record<string, string>>, inTurn: Load['inTurn']): string {
  const directory = workDirectory('bench')
  const file = join(directory, 'load.lua')
  const lines = Object.entries(headers).map(
    ([name, value]) => `wrk.headers[${JSON.stringify(name)}] = ${JSON.stringify(value)}`,
  )
  if (inTurn) lines.push(...turnScript(inTurn, directory))
  lines.push(
    'function done(summary, latency)',
    '  if ended then ended() end',
    '  local e = summary.errors',
    '  io.write(string.format("RESULT %d %d %f %f\\n", summary.requests,',
    '    e.connect + e.read + e.write + e.status + e.timeout, latency:percentile(50), latency:percentile(99)))',
    'end',
  )
  writeFileSync(file, lines.join('\n'))
  return file
}

/** Where one run ends, the next one goes on. */
function turnScript({ name, values }: NonNullable<Load['inTurn']>, directory: string): string[] {
  const [list, place] = [join(directory, 'values.txt'), join(directory, 'place.txt')]
  writeFileSync(list, `${values.join('\n')}\n`)
  writeFileSync(place, '0')
  return [
    'local requests, threads = {}, {}',
    'function setup(thread) threads[1] = thread end',
    `function ended() local file = io.open(${JSON.stringify(place)}, "w"); file:write(threads[1]:get("at")); file:close() end`,
    'function init(args)',
    `  at = tonumber(io.open(${JSON.stringify(place)}):read("*a"))`,
    `  for value in io.lines(${JSON.stringify(list)}) do`,
    `    requests[#requests + 1] = wrk.format("GET", nil, {[${JSON.stringify(name)}] = value})`,
    '  end',
    'end',
    'function request() at = at % #requests + 1; return requests[at] end',
  ]
}

interface WrkJob {
  readonly script: string
  readonly duration: number
  readonly connections?: number | undefined
}

function wrk(url: string, job: WrkJob): string {
  const [program, ...args] = wrkCommand(url, job)
  const { stdout, stderr, status } = spawnSync(program, args, { encoding: 'utf8' })
  if (status !== 0) throw new Error(`wrk failed: ${stderr}`)
  return stdout
}

function wrkCommand(url: string, { script, duration, connections = usualConnections }: WrkJob) {
  const command = [wrkPath ?? 'wrk', '-t', '1', '-c', String(connections), '-d', `${duration}s`, '-s', script, url]
  return pinned(loadCpu, command)
}
