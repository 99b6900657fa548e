import { chmodSync, readFileSync, realpathSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { CheckedFiles } from '../app/check-files.ts'
import { readTextFile, readTree } from '../config/read-tree.ts'
import { GatehouseError } from '../kit/errors.ts'
import { namedSource, type Problems } from '../kit/problems.ts'

/** Reads what is named on the command line, directories with all below them, `-` the standard input. */
export function readCheckedFiles(names: readonly string[], problems: Problems): Map<string, string> {
  const files = new Map<string, string>()
  for (const name of names) {
    if (name === '-') {
      const text = readFileSync(0, 'utf8')
      files.set(nameOfInput(text), text)
    } else if (statSync(name, { throwIfNoEntry: false })?.isDirectory()) {
      const texts = readTree(name, problems)
      for (const { file, text } of texts) files.set(join(name, file), text)
      if (texts.length === 0) problems.error(namedSource(name), [], 'has no file to check', 'name one that has')
    } else {
      const read = readTextFile(name, { problems })
      if (read) files.set(name, read.text)
    }
  }
  return files
}

/** What a stream is tells its text: JSON, oauth2-proxy's TOML, else YAML. */
function nameOfInput(text: string): string {
  if (/^\s*[{[]\s*["{}]/.test(text)) return 'stdin.json'
  return /^\s*\w+\s*=\s/m.test(text) && !/^\w+\s*:/m.test(text) ? 'stdin.cfg' : 'stdin.yaml'
}

/**
 * Writes the texts that changed: all beside their files first, then each in its place, so that none is half written.
 * Links stay links, modes stay.
 */
export function writeChangedFiles(before: CheckedFiles, after: CheckedFiles): string[] {
  const changed = [...after].filter(([name, text]) => before.get(name) !== text)
  const written: { readonly path: string; readonly beside: string }[] = []
  try {
    for (const [name, text] of changed) {
      const path = realpathSync(name)
      const beside = `${path}.gatehouse-new`
      written.push({ path, beside })
      const mark = readFileSync(path, 'utf8').startsWith('\uFEFF') ? '\uFEFF' : ''
      writeFileSync(beside, mark + text)
      chmodSync(beside, statSync(path).mode)
    }
    for (const { path, beside } of written) renameSync(beside, path)
  } catch (cause) {
    for (const { beside } of written) rmSync(beside, { force: true })
    const reason = cause instanceof Error ? cause.message : String(cause)
    throw new GatehouseError('check', `the files cannot be written: ${reason}`, { cause })
  }
  return changed.map(([name]) => name)
}
