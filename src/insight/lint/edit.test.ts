import fc from 'fast-check'
import { expect, test } from 'vitest'
import { applyEdit, type Edit } from './edit.ts'

const at = (line: number, column: number) => ({ file: 'a.yaml', line, column, path: '' })
const remove = (line: number, column: number, item: string): Edit => ({
  kind: 'remove-item',
  place: at(line, column),
  item,
})
const add = (line: number, column: number, after: string, item: string): Edit => ({
  kind: 'add-item',
  place: at(line, column),
  after,
  item,
})

test('an item of a block list gets a line of its own, quoted as its neighbour', () => {
  expect(applyEdit('paths:\n  - /a # first\nx: 1\n', add(2, 5, '/a', '/b/*'))).toBe(
    'paths:\n  - /a # first\n  - /b/*\nx: 1\n',
  )
  expect(applyEdit("- '/a'\n", add(1, 3, '/a', '/b'))).toBe("- '/a'\n- '/b'\n")
})

test('an item of a flow list follows after a comma', () => {
  expect(applyEdit('paths: [/a, "/b"] # two\n', add(1, 13, '/b', '/c'))).toBe('paths: [/a, "/b", "/c"] # two\n')
  expect(applyEdit('{"a": [\n  "x",\n  "y"\n]}\n', add(2, 3, 'x', 'z'))).toBe('{"a": [\n  "x", "z",\n  "y"\n]}\n')
})

test('an item which YAML would read otherwise is quoted', () => {
  expect(applyEdit('- /a\n', add(1, 3, '/a', '*/b'))).toBe('- /a\n- "*/b"\n')
})

test('an item goes with its line or its comma', () => {
  expect(applyEdit('- /a\n- /b # why\n- /c\n', remove(2, 3, '/b'))).toBe('- /a\n- /c\n')
  expect(applyEdit('[/a, /b, /c]', remove(1, 6, '/b'))).toBe('[/a, /c]')
  expect(applyEdit('[/a, /b]', remove(1, 2, '/a'))).toBe('[/b]')
})

test('line ends of Windows stay', () => {
  expect(applyEdit('- /a\r\n- /b\r\n', add(1, 3, '/a', '/c'))).toBe('- /a\r\n- /c\r\n- /b\r\n')
})

test('a word is replaced as a whole only', () => {
  const edit: Edit = { kind: 'replace', place: at(1, 1), from: '/dex*', to: '/dex/*' }
  expect(applyEdit('- /dex*', edit)).toBe('- /dex/*')
  expect(applyEdit('- /a/dex*', edit)).toBeUndefined()
  expect(applyEdit('- /dex**', edit)).toBeUndefined()
})

test('an entry stands above its neighbour, as far in', () => {
  const edit: Edit = { kind: 'add-entry', place: at(2, 3), before: 'b', entry: 'a: true' }
  expect(applyEdit('x:\n  b: 1\n', edit)).toBe('x:\n  a: true\n  b: 1\n')
  expect(applyEdit('x:\n- b: 1\n', edit)).toBeUndefined()
})

test('a text that says something else stays as it is', () => {
  fc.assert(
    fc.property(fc.string(), fc.nat(20), fc.nat(20), (text, line, column) => {
      expect(applyEdit(text, add(line, column, 'not in the text of a test', 'x'))).toBeUndefined()
      expect(applyEdit(text, remove(line, column, 'not in the text of a test'))).toBeUndefined()
    }),
  )
})

test('an object is put before the first of a list, block or flow', () => {
  const insert = (line: number, column: number): Edit => ({
    kind: 'insert-object',
    place: at(line, column),
    object: '{header: b, claim: c}',
  })
  expect(applyEdit('x:\n  - header: a\n    claim: a\n', insert(2, 5))).toBe(
    'x:\n  - {header: b, claim: c}\n  - header: a\n    claim: a\n',
  )
  expect(applyEdit('x: [{header: a}, {header: z}]\n', insert(1, 5))).toBe(
    'x: [{header: b, claim: c}, {header: a}, {header: z}]\n',
  )
  expect(applyEdit('x: {header: a}\n', insert(1, 4))).toBeUndefined()
})
