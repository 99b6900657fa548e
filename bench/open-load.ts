import { spawnSync } from 'node:child_process'
import process from 'node:process'
import { loadCpu } from './load.ts'
import { pinned } from './process.ts'

/** How long answers take at a given rate. */
export interface OpenLoadResult {
  readonly p50Milliseconds: number
  readonly p99Milliseconds: number
}

const client = new URL('open-load-client.ts', import.meta.url).pathname
const seconds = 3

/** Sends requests at a steady rate, however long the answers take. @throws where an answer is an error or none came. */
export function openLoad(
  url: string,
  { headers, rate }: { headers: Readonly<Record<string, string>>; rate: number },
): OpenLoadResult {
  const job = JSON.stringify({ url, headers, rate, seconds })
  const [program, ...args] = pinned(loadCpu, [process.execPath, client, job])
  const { stdout, stderr } = spawnSync(program, args, { encoding: 'utf8' })
  if (stdout === '') throw new Error(`the load generator failed: ${stderr}`)
  const { p50, p99, answers, sent, errors }: Record<string, number> = JSON.parse(stdout)
  if (p50 === undefined || p99 === undefined || errors || answers !== sent) {
    throw new Error(`of ${sent} requests ${answers} were answered, ${errors} of them by errors`)
  }
  return { p50Milliseconds: p50, p99Milliseconds: p99 }
}
