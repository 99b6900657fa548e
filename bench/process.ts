import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import process from 'node:process'

/** The kernel's clock ticks per second behind /proc/PID/stat (USER_HZ is 100 on every Linux). */
const ticksPerSecond = 100

/** User and system CPU seconds a process and its waited-for children have used. Linux only. */
export function cpuSeconds(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
    .replace(/^.*\) /s, '')
    .split(' ')
  const [utime, stime, cutime, cstime] = [11, 12, 13, 14].map((index) => Number(fields[index]))
  return ((utime ?? 0) + (stime ?? 0) + (cutime ?? 0) + (cstime ?? 0)) / ticksPerSecond
}

/** CPU seconds of a process and all its descendants now alive (nginx and Apache work in children). */
export function treeCpuSeconds(pid: number): number {
  return [pid, ...descendants(pid)].reduce((sum, one) => sum + cpuSeconds(one), 0)
}

/** Resident memory of a process, MiB. */
export function residentMebibytes(pid: number): number {
  const kibibytes = /VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]
  return Number(kibibytes) / 1024
}

function descendants(pid: number): number[] {
  const { stdout } = spawnSync('ps', ['-o', 'pid=', '--ppid', String(pid)], { encoding: 'utf8' })
  const children = (stdout ?? '')
    .split('\n')
    .map(Number)
    .filter((child) => child > 0)
  return children.flatMap((child) => [child, ...descendants(child)])
}

/** Whether a program is on the PATH. */
export function isInstalled(program: string): boolean {
  return spawnSync('which', [program]).status === 0
}

/** Starts a program on one processor (the load runs on the other), output kept for `text()`. */
export function startPinned(
  command: string,
  args: readonly string[],
  { cpu, env = {} }: { cpu: number; env?: Record<string, string> },
) {
  const pinned = isInstalled('taskset') ? ['taskset', '-c', String(cpu), command, ...args] : [command, ...args]
  const child: ChildProcess = spawn(pinned[0] ?? command, pinned.slice(1), {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...env },
  })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream?.on('data', (chunk) => {
      output += chunk
    })
  }
  return {
    pid: child.pid ?? 0,
    text: () => output,
    async stop() {
      if (child.exitCode !== null) return
      const ended = new Promise((resolve) => child.once('exit', resolve))
      child.kill('SIGTERM')
      await ended
    },
  }
}

/** Asks a URL until it answers with less than 500. @returns milliseconds since `since`. */
export async function untilReady(url: string, since: number): Promise<number> {
  for (let tries = 0; tries < 2000; tries += 1) {
    const status = await fetch(url, { redirect: 'manual' }).then(
      (response) => response.status,
      () => 599,
    )
    if (status < 500) return performance.now() - since
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
  throw new Error(`${url} did not become ready`)
}
