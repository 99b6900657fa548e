import { rules } from '../index.ts'
import { countsOf, excerptOf, type LintReport } from './report.ts'

/** The findings for programs. The names stay; a change of meaning raises `version`. */
export function formatJson({ findings, texts }: LintReport): string {
  const document = {
    version: 1,
    findings: findings.map((finding) => ({
      rule: finding.rule,
      severity: finding.severity,
      file: finding.place.file,
      line: finding.place.line ?? null,
      column: finding.place.column ?? null,
      path: finding.place.path,
      message: finding.message,
      why: rules.find(({ id }) => id === finding.rule)?.why ?? null,
      fix: finding.fix ?? null,
      fixable: finding.edits.length > 0,
      excerpt: excerptOf(finding, texts) ?? null,
    })),
    summary: countsOf(findings),
  }
  return `${JSON.stringify(document, null, 2)}\n`
}
