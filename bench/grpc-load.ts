import { spawnSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { encodeCheckRequest } from '../src/gateway/grpc/check-messages.ts'
import { askByGrpc, checkMethod, framed } from '../test/world/grpc-check.ts'
import { findProgram, workDirectory } from '../test/world/programs.ts'
import { loadCpu } from './load.ts'
import { cpuSeconds, pinned } from './process.ts'

const h2loadPath = findProgram('h2load')

/** Whether gRPC load can be made here: h2load is the generator. */
export const canLoadGrpc = h2loadPath !== undefined

const seconds = { warmUp: 2, measured: 3 }

/** Checks per second of the server's CPU time, asked as an Envoy does. @throws where a check does not pass. */
export async function runGrpcLoad({
  port,
  headers,
  pids,
}: {
  readonly port: number
  readonly headers: Readonly<Record<string, string>>
  readonly pids: readonly number[]
}): Promise<number> {
  const request = { method: 'GET', path: '/app/', host: 'app.example', headers, clientAddress: '', requestId: 'r' }
  const { verdict } = await askByGrpc(port, request)
  if (verdict !== 'allow') throw new Error(`the check is answered ${verdict}`)
  const file = join(workDirectory('bench'), 'check.bin')
  writeFileSync(file, framed(encodeCheckRequest(request, { nowMilliseconds: 0, packsAsBytes: false })))
  h2load(port, file, seconds.warmUp)
  const before = cpuSeconds(pids)
  const checks = h2load(port, file, seconds.measured)
  return checks / (cpuSeconds(pids) - before)
}

/** @returns how many calls were answered. */
function h2load(port: number, file: string, duration: number): number {
  const headers = ['-H', 'content-type: application/grpc', '-H', 'te: trailers']
  const load = ['-c', '4', '-m', '32', '-t', '1', '-D', String(duration), '-d', file, ...headers]
  const [program, ...args] = pinned(loadCpu, [
    h2loadPath ?? 'h2load',
    ...load,
    `http://127.0.0.1:${port}${checkMethod}`,
  ])
  const { stdout, stderr, status } = spawnSync(program, args, { encoding: 'utf8' })
  const [, succeeded, failed] = /(\d+) succeeded, (\d+) failed/.exec(stdout) ?? []
  if (status !== 0 || succeeded === undefined) throw new Error(`h2load failed: ${stderr}${stdout}`)
  if (Number(failed) > 0) throw new Error(`${failed} calls failed`)
  return Number(succeeded)
}
