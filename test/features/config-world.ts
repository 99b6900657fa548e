import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { onTestFinished } from 'vitest'
import type { LoadedChain } from '../../src/config/build-chain.ts'
import { type DirectoryOptions, loadChainFromDirectory } from '../../src/config/from-directory.ts'
import { formatProblem } from '../../src/kit/problems.ts'

/** Secrets of every test's chain. */
export const secrets = { state: 'state-of-the-test', cookie: 'A'.repeat(43), clients: {} }

/** A directory loaded for `http://localhost:8080`, outside demo mode and without variables unless told. */
export function load(directory: string, options: Partial<DirectoryOptions> = {}): LoadedChain & { lines: string[] } {
  const loaded = loadChainFromDirectory(directory, { publicUrl: 'http://localhost:8080', secrets, env: {}, ...options })
  return { ...loaded, lines: loaded.problems.map(formatProblem) }
}

/** A directory of these files, gone when the test is done. */
export function directoryOf(files: Readonly<Record<string, string>>): string {
  const directory = mkdtempSync(join(tmpdir(), 'gatehouse-config-'))
  onTestFinished(() => rmSync(directory, { recursive: true }))
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(directory, name)), { recursive: true })
    writeFileSync(join(directory, name), text)
  }
  return directory
}

/** The fixture of that name. */
export function fixture(name: string): string {
  return join(import.meta.dirname, '../fixtures/kubeflow', name)
}
