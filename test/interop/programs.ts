import { spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { connect } from 'node:net'
import process from 'node:process'
import { describe } from 'vitest'
import { findProgram, isUsable } from '../world/programs.ts'

/** A program of somebody else, and where to get it. */
export interface Program {
  readonly name: string
  /** What to install where it is missing. */
  readonly from: string
  /** Another file it needs, e.g. a module of it. */
  readonly also?: string
}

/** A suite against a real program; where that is missing it is skipped with a line that says what to install. */
export function describeWith({ name, from, also }: Program, suite: (path: string) => void): void {
  const path = findProgram(name)
  const isComplete = path !== undefined && (also === undefined || isUsable(also))
  if (isComplete) {
    describe(`with the real ${name}`, () => suite(path))
    return
  }
  const title = `skipped: ${path === undefined ? `no \`${name}\` on the PATH` : `no ${also}`} (install ${from})`
  console.warn(title)
  describe.skip(title, () => suite(''))
}

/** The version of a module a Go program is built from, as its build information has it; `undefined` where it has none. */
export function goModuleVersion(path: string, module: string): string | undefined {
  const text = readFileSync(path, 'latin1')
  const start = text.indexOf(`${module}\tv`)
  return start < 0 ? undefined : /\S+/.exec(text.slice(start + module.length + 1, start + module.length + 41))?.[0]
}

/** A program that listens. */
export interface RunningProgram {
  stop(): Promise<void>
}

/** Starts a program in the foreground and waits until it listens on `port`. @throws with its output where it ends first. */
export async function startProgram(
  path: string,
  args: readonly string[],
  { port, env = {} }: { port: number; env?: Readonly<Record<string, string>> },
): Promise<RunningProgram> {
  const child = spawn(path, args, { stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, ...env } })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk) => {
      output += chunk
    })
  }
  const ended = new Promise<void>((resolve) => {
    child.once('exit', () => resolve())
    child.once('error', (error) => {
      output += error.message
      resolve()
    })
  })
  const isUp = await Promise.race([listens(port), ended.then(() => false)])
  if (!isUp) {
    child.kill()
    throw new Error(`${path} does not listen on ${port}:\n${output}`)
  }
  return {
    async stop() {
      child.kill('SIGTERM')
      await ended
    },
  }
}

/** Tries for ten seconds. */
async function listens(port: number): Promise<boolean> {
  for (let tries = 0; tries < 200; tries += 1) {
    if (await canConnect(port)) return true
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
  return false
}

function canConnect(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1')
    socket.once('connect', () => {
      socket.destroy()
      resolve(true)
    })
    socket.once('error', () => resolve(false))
  })
}
