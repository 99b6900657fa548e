import { rules } from '../index.ts'
import type { Finding, Severity } from '../rule.ts'
import { countsOf, excerptOf, type LintReport } from './report.ts'

/** Colours for a terminal, or nothing. */
export interface Paint {
  bold(text: string): string
  dim(text: string): string
  good(text: string): string
  warning(text: string): string
  problem(text: string): string
}

/** Each finding with its line, why it bites and what to do; then how many there are. For people. */
export function formatText({ findings, texts }: LintReport, paint: Paint): string {
  const blocks = findings.map((finding, index) => {
    const isFirst = findings.findIndex(({ rule }) => rule === finding.rule) === index
    return `${block(finding, { texts, paint, isFirst }).join('\n')}\n`
  })
  return [...blocks, summary(findings, paint), ''].join('\n')
}

/** Why a rule bites is told the first time only. */
function block(
  finding: Finding,
  { texts, paint, isFirst }: { texts: LintReport['texts']; paint: Paint; isFirst: boolean },
): string[] {
  const { place, severity, rule, message, fix, edits } = finding
  const { file, line, column } = place
  const where = [file, line, column].filter((part) => part !== undefined).join(':')
  const title = `${colour(severity, paint)(severity)} ${paint.bold(rule)}`
  const why = rules.find(({ id }) => id === rule)?.why
  return [
    `${paint.bold(where)}  ${title}`,
    ...excerpt(finding, { texts, paint }),
    `  ${place.path === '' ? '' : `${paint.dim(`${place.path}:`)} `}${message}`,
    ...(why === undefined || !isFirst || rule === 'configuration' ? [] : [`  ${paint.dim('why')}  ${why}`]),
    ...(fix === undefined
      ? []
      : [`  ${paint.dim('fix')}  ${fix}${edits.length > 0 ? paint.dim('  (--fix does it)') : ''}`]),
  ]
}

function excerpt(finding: Finding, { texts, paint }: { texts: LintReport['texts']; paint: Paint }): string[] {
  const { line, column = 1 } = finding.place
  const row = excerptOf(finding, texts)
  if (row === undefined) return []
  const number = String(line).padStart(5)
  // tabs stay tabs, so that the caret stands below its place
  const before = row.slice(0, column - 1).replace(/[^\t]/g, ' ')
  const caret = column - 1 <= row.length ? [`${' '.repeat(5)} ${paint.dim('│')} ${before}${paint.problem('^')}`] : []
  return [`${paint.dim(`${number} │`)} ${row}`, ...caret]
}

function colour(severity: Severity, paint: Paint): (text: string) => string {
  return severity === 'error' ? paint.problem : severity === 'warning' ? paint.warning : paint.dim
}

function summary(findings: readonly Finding[], paint: Paint): string {
  if (findings.length === 0) return paint.good('nothing to complain of')
  const { errors, warnings, notes } = countsOf(findings)
  const parts = [plural(errors, 'error'), plural(warnings, 'warning'), plural(notes, 'note')].filter(Boolean)
  const fixable = findings.filter(({ edits }) => edits.length > 0).length
  return parts.join(', ') + (fixable === 0 ? '' : paint.dim(`; --fix mends ${fixable}`))
}

const plural = (count: number, word: string): string => (count === 0 ? '' : `${count} ${word}${count === 1 ? '' : 's'}`)
