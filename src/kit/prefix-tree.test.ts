import fc from 'fast-check'
import { expect, test } from 'vitest'
import { prefixTree } from './prefix-tree.ts'

const text = fc.string({ unit: fc.constantFrom('a', 'b', '/', '\u{1f512}'), maxLength: 8 })

test('a text finds exactly the prefixes it begins with, shortest first, equal ones in order', () => {
  fc.assert(
    fc.property(fc.array(text, { maxLength: 30 }), text, (prefixes, wanted) => {
      const found: number[] = []
      prefixTree(prefixes.map((prefix, at) => [prefix, at] as const)).visit(wanted, (entries) => found.push(...entries))
      const expected = [...prefixes.entries()]
        .filter(([, prefix]) => wanted.startsWith(prefix))
        .toSorted(([, a], [, b]) => a.length - b.length)
        .map(([at]) => at)
      expect(found).toEqual(expected)
    }),
  )
})
