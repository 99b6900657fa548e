import fc from 'fast-check'
import { expect, test } from 'vitest'
import { unifiedDiff } from './diff.ts'

test('a diff has the changed lines with three around them', () => {
  const before = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i'].join('\n')
  expect(unifiedDiff('x.yaml', { before, after: before.replace('e', 'E\nE2') }).split('\n')).toEqual([
    '--- x.yaml',
    '+++ x.yaml',
    '@@ -2,7 +2,8 @@',
    ' b',
    ' c',
    ' d',
    '-e',
    '+E',
    '+E2',
    ' f',
    ' g',
    ' h',
    '',
  ])
})

test('secrets near a change are not shown', () => {
  const diff = unifiedDiff('x', { before: 'secret: abc\nscopes: [a]\n', after: 'secret: abc\nscopes: [a, b]\n' })
  expect(diff).toContain(' secret: …\n-scopes: [a]\n+scopes: [a, b]')
  expect(diff).not.toContain('abc')
})

test('applying a diff to the old text gives the new one', () => {
  const text = fc.array(fc.constantFrom('a', 'b', 'c', 'd'), { maxLength: 60 }).map((lines) => lines.join('\n'))
  fc.assert(
    fc.property(text, text, (before, after) => {
      expect(patch(before, unifiedDiff('x', { before, after }))).toBe(after)
    }),
  )
})

function patch(text: string, diff: string): string {
  if (diff === '') return text
  const lines = text.split('\n')
  const result: string[] = []
  let at = 0
  for (const row of diff.split('\n').slice(2, -1)) {
    const start = /^@@ -(\d+)/.exec(row)?.[1]
    if (start !== undefined) while (at < Number(start) - 1) result.push(lines[at++] ?? '')
    else if (row.startsWith('+')) result.push(row.slice(1))
    else {
      expect(lines[at]).toBe(row.slice(1))
      if (row.startsWith(' ')) result.push(lines[at] ?? '')
      at += 1
    }
  }
  return [...result, ...lines.slice(at)].join('\n')
}
