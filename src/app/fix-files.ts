import { applyEdit } from '../insight/lint/edit.ts'
import type { Finding } from '../insight/lint/rule.ts'
import { type CheckedFiles, checkFiles } from './check-files.ts'

/** What mending came to: the texts, what was mended in them, and what is still wrong. */
export interface FixedFiles {
  readonly files: CheckedFiles
  readonly fixed: readonly Finding[]
  readonly remaining: readonly Finding[]
}

/**
 * Mends what can be mended safely, one finding after the other. Each change must make its finding go away and bring no
 * new one (mending more than a note may bring a note), or else it is taken back, all of its files together.
 */
export function fixFiles(
  files: CheckedFiles,
  { isWanted, ...options }: Parameters<typeof checkFiles>[1] & { readonly isWanted: (finding: Finding) => boolean },
): FixedFiles {
  const fixed: Finding[] = []
  const refused = new Set<string>()
  let texts = files
  let findings = checkFiles(texts, options)
  for (;;) {
    const next = findings.find((one) => isWanted(one) && one.edits.length > 0 && !refused.has(keyOf(one)))
    if (!next) return { files: texts, fixed, remaining: findings }
    const changed = withEdits(texts, next)
    const after = changed && checkFiles(changed, options)
    if (!changed || !after || !isBetter(after, findings, next)) {
      refused.add(keyOf(next))
      continue
    }
    fixed.push(next)
    texts = changed
    findings = after
  }
}

function withEdits(files: CheckedFiles, { edits }: Finding): CheckedFiles | undefined {
  const changed = new Map(files)
  // from the end, so that places before it stay where they are
  for (const edit of edits.toSorted((a, b) => (b.place.line ?? 0) - (a.place.line ?? 0))) {
    const text = applyEdit(changed.get(edit.place.file) ?? '', edit)
    if (text === undefined) return undefined
    changed.set(edit.place.file, text)
  }
  return changed
}

/** One finding less, and none that was not there before, as far as they weigh something beside the one mended. */
function isBetter(after: readonly Finding[], before: readonly Finding[], { severity }: Finding): boolean {
  const weighs = (finding: Finding) => severity === 'note' || finding.severity !== 'note'
  const [now, then] = [after.filter(weighs), before.filter(weighs)]
  const known = new Map<string, number>()
  for (const { rule, message } of then) count(known, `${rule} ${plain(message)}`, 1)
  for (const { rule, message } of now) count(known, `${rule} ${plain(message)}`, -1)
  return now.length < then.length && [...known.values()].every((left) => left >= 0)
}

/** Messages name lines of other files, which a change moves. */
const plain = (message: string): string => message.replace(/ \([^()]*:\d+\)/g, '')

function count(counts: Map<string, number>, key: string, step: number): void {
  counts.set(key, (counts.get(key) ?? 0) + step)
}

function keyOf({ rule, place: { file, line, column, path } }: Finding): string {
  return JSON.stringify([rule, file, line, column, path])
}
