import { type Example, mendedFiles, type Rule } from '../rule.ts'
import type { Paint } from './text.ts'

/** The page of a rule, for a terminal. */
export function rulePage({ id, severity, title, why, remedy, bad, good, edits }: Rule, paint: Paint): string {
  return [
    `${paint.bold(id)}  ${severity}${edits ? paint.dim('  (--fix mends it where that is safe)') : ''}`,
    '',
    title,
    '',
    `${paint.bold('Why')}  ${why}`,
    `${paint.bold('Fix')}  ${remedy}`,
    '',
    paint.problem('Bad'),
    ...filesOf(bad, paint),
    paint.good('Good'),
    ...filesOf(mendedFiles({ bad, good }), paint),
  ].join('\n')
}

function filesOf(files: Example, paint: Paint): string[] {
  return Object.entries(files).flatMap(([name, text]) => [
    paint.dim(`  # ${name}`),
    ...text
      .trimEnd()
      .split('\n')
      .map((row) => `  ${row}`),
    '',
  ])
}
