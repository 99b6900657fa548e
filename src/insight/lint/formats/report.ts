import type { Finding } from '../rule.ts'

/** What a format tells: the findings, by file and line, and the texts they are about. */
export interface LintReport {
  readonly findings: readonly Finding[]
  /** By file name. */
  readonly texts: ReadonlyMap<string, string>
}

/** How many findings of each severity there are. */
export function countsOf(findings: readonly Finding[]): { errors: number; warnings: number; notes: number } {
  const count = (severity: Finding['severity']) => findings.filter((finding) => finding.severity === severity).length
  return { errors: count('error'), warnings: count('warning'), notes: count('note') }
}

/** The line a finding is about, secrets masked; `undefined` where it has none. */
export function excerptOf({ place: { file, line }, rule }: Finding, texts: LintReport['texts']): string | undefined {
  const row = line === undefined ? undefined : texts.get(file)?.split('\n')[line - 1]?.trimEnd()
  if (row === undefined || row.trim() === '') return undefined
  return rule.includes('secret') ? row.replace(/([:=]\s*)\S.*$/, '$1…') : maskSecrets(row)
}

/** The line with the values of keys that hold secrets (`client_secret = "…"`) left out. */
export function maskSecrets(row: string): string {
  return row.replace(/((?:secret|password|passwd|hash)["']?\s*[:=]\s*)(?:"[^"]*"|'[^']*'|[^\s,}{[]+)/gi, '$1…')
}
