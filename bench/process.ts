import { type ChildProcess, spawn } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import process from 'node:process'
import { findProgram } from '../test/world/programs.ts'

/** The kernel's clock ticks per second behind /proc/PID/stat (USER_HZ is 100 on every Linux). */
const ticksPerSecond = 100

/** User and system CPU seconds of processes and all their descendants (nginx works in children). Linux only. */
export function cpuSeconds(pids: readonly number[]): number {
  const processes = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => readStat(Number(name)) ?? [])
  const treeSeconds = (pid: number): number =>
    processes
      .filter((one) => one.parent === pid)
      .reduce((sum, child) => sum + treeSeconds(child.pid), processes.find((one) => one.pid === pid)?.seconds ?? 0)
  return pids.reduce((sum, pid) => sum + treeSeconds(pid), 0)
}

/** `undefined` for a process that has just ended. */
function readStat(
  pid: number,
): { readonly pid: number; readonly parent: number; readonly seconds: number } | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8')
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ')
    const [parent = 0, userTicks = 0, systemTicks = 0] = [1, 11, 12].map((index) => Number(fields[index]))
    return { pid, parent, seconds: (userTicks + systemTicks) / ticksPerSecond }
  } catch {
    return undefined
  }
}

/** Resident memory of a process, MiB. */
export function residentMebibytes(pid: number): number {
  const kibibytes = /VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]
  return Number(kibibytes) / 1024
}

/** A program under measurement, or one that helps. */
export interface BenchProcess {
  readonly pid: number
  stop(): Promise<void>
}

/** A command line that stays on one processor, where `taskset` can see to that. */
export function pinned(cpu: number | undefined, command: readonly string[]): readonly [string, ...string[]] {
  const [program = '', ...args] = command
  const taskset = cpu === undefined ? undefined : findProgram('taskset')
  return taskset === undefined ? [program, ...args] : [taskset, '-c', String(cpu), program, ...args]
}

/** What is still running goes with us, whatever ends this process. */
const running = new Set<ChildProcess>()
process.on('exit', () => {
  for (const child of running) child.kill('SIGTERM')
})

/** Starts a command line and waits until `readyUrl` answers. @throws with its output where it ends before that. */
export async function startProcess(
  command: readonly string[],
  { cpu, readyUrl, env = {} }: { cpu?: number; readyUrl: string; env?: Readonly<Record<string, string>> },
): Promise<BenchProcess & { readonly readyAfterMilliseconds: number }> {
  const [program, ...args] = pinned(cpu, command)
  const since = performance.now()
  const child = spawn(program, args, {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, NO_PROXY: '*', ...env },
  })
  running.add(child)
  child.once('exit', () => running.delete(child))
  let output = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk) => {
      output = (output + chunk).slice(-4000)
    })
  }
  const ended = new Promise<undefined>((resolve) => {
    child.once('exit', () => resolve(undefined))
    child.once('error', () => resolve(undefined))
  })
  const readyAt = await Promise.race([untilAnswered(readyUrl), ended])
  if (readyAt === undefined) {
    child.kill()
    throw new Error(`${command.join(' ')} did not get ready:\n${output}`)
  }
  return {
    pid: child.pid ?? 0,
    readyAfterMilliseconds: readyAt - since,
    async stop() {
      child.kill('SIGTERM')
      await ended
    },
  }
}

/** Asks until the answer is no error; `undefined` after 20 seconds without one. */
async function untilAnswered(url: string): Promise<number | undefined> {
  const until = performance.now() + 20_000
  while (performance.now() < until) {
    const status = await fetch(url, { redirect: 'manual' }).then(
      (response) => response.status,
      () => 599,
    )
    if (status < 500) return performance.now()
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
  return undefined
}
