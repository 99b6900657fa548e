import { type CheckedFiles, checkFiles } from '../../src/app/check-files.ts'
import { readTree } from '../../src/config/read-tree.ts'
import type { Example, Finding } from '../../src/insight/lint/rule.ts'
import { Problems } from '../../src/kit/problems.ts'
import { fixture } from './config-world.ts'

/** The findings of files given as texts, without variables. */
export function findingsOf(files: Example | CheckedFiles): Finding[] {
  return checkFiles(files instanceof Map ? files : new Map(Object.entries(files as Example)), { env: {} })
}

/** `file:line:column severity rule`, one a finding. */
export function placesOf(findings: readonly Finding[]): string[] {
  return findings.map(
    ({ place: { file, line, column }, severity, rule }) => `${file}:${line}:${column} ${severity} ${rule}`,
  )
}

/** The texts of a fixture, by file. */
export function fixtureFiles(name: string): Map<string, string> {
  return new Map(readTree(fixture(name), new Problems()).map(({ file, text }) => [file, text]))
}
