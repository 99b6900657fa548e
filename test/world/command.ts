import { type ChildProcess, spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'

/** What runs as `gatehouse`. */
export const gatehouseMain = fileURLToPath(new URL('../../src/main.mjs', import.meta.url))

/** A `gatehouse` process. */
export interface RunningCommand {
  readonly process: ChildProcess
  /** What it has printed so far, on both streams. */
  text(): string
  /** Waits until the output matches; fails with the output when the process ends first. */
  until(pattern: RegExp): Promise<RegExpExecArray>
  /** Waits for the end. @returns the exit code, `null` where a signal ended it. */
  ended(): Promise<number | null>
}

/** Runs `gatehouse ARGS` as a user would, in a process of its own. */
export function runGatehouse(...args: readonly string[]): RunningCommand {
  const child = spawn(process.execPath, [gatehouseMain, ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, NO_COLOR: '1' },
  })
  let output = ''
  const watchers = new Set<() => void>()
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk) => {
      output += chunk
      for (const watcher of watchers) watcher()
    })
  }
  const exit = new Promise<number | null>((resolve) => {
    child.once('close', (code) => {
      resolve(code)
      for (const watcher of watchers) watcher()
    })
  })
  return {
    process: child,
    text: () => output,
    ended: () => exit,
    until: (pattern) =>
      new Promise((resolve, reject) => {
        const look = () => {
          const found = pattern.exec(output)
          const hasEnded = child.exitCode !== null || child.signalCode !== null
          if (!found && !hasEnded) return
          watchers.delete(look)
          if (found) resolve(found)
          else reject(new Error(`gatehouse ended before it printed ${pattern}:\n${output}`))
        }
        watchers.add(look)
        look()
      }),
  }
}
