import { maskSecrets } from './report.ts'

const contextLines = 3
/** How far apart lines may move between two places that are alike again. */
const reach = 40

type Row = { readonly kind: ' ' | '-' | '+'; readonly text: string }

/** What changed in a text, as a unified diff without secrets; empty where nothing did. */
export function unifiedDiff(
  name: string,
  { before, after }: { readonly before: string; readonly after: string },
): string {
  if (before === after) return ''
  const rows = compare(before.split('\n'), after.split('\n'))
  return [`--- ${name}`, `+++ ${name}`, ...hunks(rows), ''].join('\n')
}

function compare(before: readonly string[], after: readonly string[]): Row[] {
  const rows: Row[] = []
  let [a, b] = [0, 0]
  while (a < before.length || b < after.length) {
    if (a < before.length && before[a] === after[b]) {
      rows.push({ kind: ' ', text: before[a] ?? '' })
      a += 1
      b += 1
      continue
    }
    const [removed, added] = nextAlike(before.slice(a, a + reach), after.slice(b, b + reach))
    for (const text of before.slice(a, a + removed)) rows.push({ kind: '-', text })
    for (const text of after.slice(b, b + added)) rows.push({ kind: '+', text })
    a += removed
    b += added
  }
  return rows
}

/** The fewest lines to skip on both sides until they are alike. */
function nextAlike(before: readonly string[], after: readonly string[]): readonly [number, number] {
  for (let total = 1; total <= before.length + after.length; total += 1) {
    for (let removed = 0; removed <= total; removed += 1) {
      const added = total - removed
      if (removed >= before.length || added >= after.length) continue
      if (before[removed] === after[added] && before[removed + 1] === after[added + 1]) return [removed, added]
    }
  }
  return [before.length, after.length]
}

function hunks(rows: readonly Row[]): string[] {
  const changed = rows.flatMap(({ kind }, index) => (kind === ' ' ? [] : [index]))
  const lines: string[] = []
  for (let at = 0; at < changed.length; ) {
    let last = at
    while ((changed[last + 1] ?? Number.POSITIVE_INFINITY) - (changed[last] ?? 0) <= 2 * contextLines) last += 1
    const start = Math.max(0, (changed[at] ?? 0) - contextLines)
    const hunk = rows.slice(start, (changed[last] ?? 0) + contextLines + 1)
    lines.push(header(rows.slice(0, start), hunk), ...hunk.map(({ kind, text }) => kind + maskSecrets(text)))
    at = last + 1
  }
  return lines
}

function header(earlier: readonly Row[], hunk: readonly Row[]): string {
  const range = (other: Row['kind']) => {
    const size = (rows: readonly Row[]) => rows.filter(({ kind }) => kind !== other).length
    return `${size(earlier) + 1},${size(hunk)}`
  }
  return `@@ -${range('+')} +${range('-')} @@`
}
