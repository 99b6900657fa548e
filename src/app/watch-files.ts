import { readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import type { Log } from '../kit/log.ts'
import { ConfigError, formatProblem } from '../kit/problems.ts'

/** Files that are read again when they change. */
export interface WatchedFiles {
  /** Looks once whether something changed, and if so reads and applies it. */
  check(): void
  close(): void
}

/** What is watched and what becomes of it. */
export interface WatchOptions<Configuration> {
  /** A file or a directory, or several. */
  readonly path: string | readonly string[]
  /** Its `fingerprint` from before it was read for the first time. */
  readonly since: string
  /** Reads everything anew. @throws ConfigError with every problem. */
  readonly load: () => Configuration
  /** Runs on what was read; called only where it has no error. */
  readonly apply: (configuration: Configuration) => void
  readonly log: Log
}

/** Looking is cheap, and a mounted ConfigMap (links that are swapped) gives file system events nobody can rely on. */
const intervalMilliseconds = 2000
const maximumDepth = 16

/**
 * Looks every two seconds. A change is read once it has rested for one look, so that half a copy is never read; what
 * has errors is told in the log, and what runs goes on running.
 */
export function watchFiles<Configuration>(options: WatchOptions<Configuration>): WatchedFiles {
  const { path, since } = options
  let read = since
  let seen = fingerprint(path)

  function check(): void {
    const now = fingerprint(path)
    const hasRested = now === seen
    seen = now
    if (now === read || !hasRested) return
    read = now
    reload(options)
  }

  const timer = setInterval(check, intervalMilliseconds).unref()
  return { check, close: () => clearInterval(timer) }
}

function reload<Configuration>({ path, load, apply, log }: WatchOptions<Configuration>): void {
  try {
    apply(load())
    log.info('configuration reloaded', { path })
  } catch (error) {
    const problems = error instanceof ConfigError ? { problems: error.problems.map(formatProblem) } : { cause: error }
    log.error('changed configuration has errors, so the earlier one keeps running', { path, ...problems })
  }
}

/** A text that changes when a file at or below `path` is added, removed or written. Links are followed to files only. */
export function fingerprint(path: string | readonly string[]): string {
  if (typeof path !== 'string') return path.map(fingerprint).join('\n')
  try {
    return statSync(path).isDirectory() ? filesBelow(path, 0).join('\n') : stamp(path)
  } catch {
    return 'unreadable' // gone, or changing at this very moment: told apart at the next look
  }
}

function filesBelow(folder: string, depth: number): string[] {
  if (depth > maximumDepth) return []
  return readdirSync(folder, { withFileTypes: true })
    .filter(({ name }) => !name.startsWith('.') && name !== 'node_modules')
    .toSorted((a, b) => (a.name < b.name ? -1 : 1))
    .flatMap((entry) => {
      const path = join(folder, entry.name)
      return entry.isDirectory() ? filesBelow(path, depth + 1) : [stamp(path)]
    })
}

function stamp(path: string): string {
  const stat = statSync(path, { throwIfNoEntry: false })
  return stat ? `${path} ${stat.mtimeMs} ${stat.size} ${stat.ino}` : `${path} -`
}
