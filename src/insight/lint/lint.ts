import type { Problem } from '../../kit/problems.ts'
import { configuration } from './configuration.ts'
import { rules } from './index.ts'
import { type Finding, type Found, foundOf, type Rule } from './rule.ts'
import type { Subject } from './subject.ts'

/** Everything that is wrong with the files of a chain, by file and line: each problem of loading them and each rule. */
export function lint(subject: Subject): Finding[] {
  const findings = [
    ...subject.problems.flatMap((problem) => findingOf(problem, subject) ?? []),
    ...rules.flatMap((rule) => (rule.find?.(subject) ?? []).map((found) => withRule(found, rule, subject))),
  ]
  const once = new Map(findings.map((finding) => [keyOf(finding), finding]))
  return [...once.values()].toSorted(byPlace)
}

function findingOf(problem: Problem, subject: Subject): Finding | undefined {
  const rule = rules.find(({ id, told }) => problem.rule === id || told?.test(problem.message))
  const found = foundOf(problem)
  if (rule?.isAbout?.(subject, found) === false) return undefined
  if (rule) return withRule(found, rule, subject)
  return { ...found, rule: configuration.id, severity: problem.severity, edits: [] }
}

function withRule(found: Found, rule: Rule, subject: Subject): Finding {
  return { ...found, rule: rule.id, severity: rule.severity, edits: rule.edits?.(found, subject) ?? [] }
}

/** One place breaks one rule once. */
function keyOf({ rule, place: { file, line, column, path }, message }: Finding): string {
  return JSON.stringify([rule, file, line, column, path, rule === configuration.id ? message : ''])
}

function byPlace({ place: a, rule: one }: Finding, { place: b, rule: other }: Finding): number {
  if (a.file !== b.file) return a.file < b.file ? -1 : 1
  return (a.line ?? 0) - (b.line ?? 0) || (a.column ?? 0) - (b.column ?? 0) || (one < other ? -1 : 1)
}
