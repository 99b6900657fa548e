import fc from 'fast-check'
import { expect, test } from 'vitest'
import { formatProblem, Problems } from '../kit/problems.ts'
import { fileText } from './source-text.ts'
import { parseYaml, splitYaml } from './yaml-source.ts'

const read = (text: string, problems = new Problems()) => parseYaml(fileText('a.yaml', text), problems)

function problemsOf(text: string): string[] {
  const problems = new Problems()
  expect(read(text, problems)).toBeUndefined()
  return problems.list.map(formatProblem)
}

test('a path leads to the line and column of its key', () => {
  const document = read('a: 1\nb:\n  - c: x\n    d:\n      e: y\n')
  const at = (...path: (string | number)[]) => document?.source.position(path)
  expect(at('a')).toEqual({ line: 1, column: 1 })
  expect(at('b', 0)).toEqual({ line: 3, column: 5 })
  expect(at('b', 0, 'd', 'e')).toEqual({ line: 5, column: 7 })
})

test('a missing key is placed at what should hold it, and case does not matter', () => {
  const document = read('Issuer: x\nstaticClients:\n  - id: a\n')
  expect(document?.source.position(['staticClients', 0, 'secret', 'x'])).toEqual({ line: 3, column: 5 })
  expect(document?.source.position(['issuer'])).toEqual({ line: 1, column: 1 })
})

test('documents of a stream keep the lines of their file', () => {
  const text = '%YAML 1.2\n---\n# only a comment\n---\na: 1\n---\nb: |\n  text\n  --- not a marker\n--- {c: 3}\n...\n'
  const documents = splitYaml(fileText('a.yaml', text)).map((chunk) => parseYaml(chunk, new Problems()))
  expect(documents.map((document) => document?.value)).toEqual([{ a: 1 }, { b: 'text\n--- not a marker\n' }, { c: 3 }])
  expect(documents.map((document) => document?.source.position([])?.line)).toEqual([5, 7, 10])
})

test('merge keys and the booleans of YAML 1.1 are read as Go reads them', () => {
  expect(read('a: &a {x: yes, y: "yes"}\nb: {<<: *a, z: off}\n')?.value).toEqual({
    a: { x: true, y: 'yes' },
    b: { x: true, y: 'yes', z: false },
  })
})

test('JSON is read with its lines, tabs and all', () => {
  const document = read('{\n\t"realm": "r",\n\t"users": [\n\t\t{"username": "ada"}\n\t]\n}')
  expect(document?.value).toEqual({ realm: 'r', users: [{ username: 'ada' }] })
  expect(document?.source.position(['users', 0, 'username'])?.line).toBe(4)
})

test('hostile and broken documents are refused with their place', () => {
  expect(problemsOf('a: 1\nb: 2\na: 3\n')).toEqual(['a.yaml:3:1: error: the key `a` is repeated; remove one'])
  expect(problemsOf('kind: A\nkind: B\n')).toEqual([
    'a.yaml:2:1: error: the key `kind` is repeated; write `---` between two resources, or remove one',
  ])
  expect(problemsOf('a:\n  __proto__: {x: 1}\n')).toEqual(['a.yaml:2:3: error: the key `__proto__` is not allowed'])
  expect(problemsOf(`a: ${'['.repeat(200)}${']'.repeat(200)}`)[0]).toMatch(/nested deeper than 100 levels/)
  expect(problemsOf('['.repeat(50_000))[0]).toMatch(/^a.yaml:1:/)
  expect(problemsOf('a: &a [1, *a]')).toEqual(['a.yaml:1:11: error: an alias inside its own anchor'])
  expect(problemsOf('id: {{ .Env.X }}')[0]).toMatch(/^a.yaml:1:6: error: a key must be text; quote it/)
  expect(problemsOf('a:\n  b: |\n    x\n\t  y: 1\n  c: {d: 1\ne: 2\n')).toEqual([
    'a.yaml:4:1: error: not valid YAML: a tab in the indentation; indent with blanks',
  ])
  expect(problemsOf('{"a": [}')).toHaveLength(1)
  expect(problemsOf('a: "x\nb: 1')[0]).toMatch(/^a.yaml:\d+:\d+: error: not valid YAML: missing closing "quote/)
})

test('aliases that multiply are refused', () => {
  const levels = Array.from({ length: 30 }, (_, level) => {
    const items = level === 0 ? 'x' : Array.from({ length: 10 }, () => `*a${level - 1}`).join(', ')
    return `a${level}: &a${level} [${items}]`
  })
  expect(problemsOf(levels.join('\n'))[0]).toMatch(/alias/)
})

test('a map of 100,000 keys is checked for repeats in linear time', () => {
  const text = Array.from({ length: 100_000 }, (_, index) => `k${index}: 1`).join('\n')
  expect(Object.keys(read(text)?.value as object)).toHaveLength(100_000)
})

/** Lines of an inner file: no control characters, so that any style of scalar can hold them. */
const innerLines = fc.array(fc.stringMatching(/^[a-z][a-z0-9 :"'\\#-]{0,20}[a-z]$/), { minLength: 1, maxLength: 8 })

const styles = {
  literal: (lines: string[], indent: string) => `|\n${lines.map((line) => `${indent}  ${line}`).join('\n')}\n`,
  escaped: (lines: string[]) => `${JSON.stringify(lines.join('\n'))}\n`,
  broken: (lines: string[], indent: string) =>
    `"${lines.map((line) => JSON.stringify(line).slice(1, -1)).join(`\n\n${indent}  `)}"\n`,
  single: (lines: string[], indent: string) =>
    `'${lines.map((line) => line.replaceAll("'", "''")).join(`\n\n${indent}  `)}'\n`,
} as const

test.each(Object.entries(styles))('a text inside a %s scalar is mapped back to the lines of the file', (_, write) => {
  fc.assert(
    fc.property(innerLines, fc.integer({ min: 0, max: 3 }), (lines, blanks) => {
      const outer = `${'# above\n'.repeat(blanks)}kind: ConfigMap\ndata:\n  config.yaml: ${write(lines, '  ')}`
      const inner = read(outer)?.text(['data', 'config.yaml'])
      const outerLines = outer.split('\n')
      expect(inner?.text.trimEnd().split('\n')).toEqual(lines)
      for (const [index, line] of lines.entries()) {
        const { line: at, column } = inner?.locate({ line: index + 1, column: 1 }) ?? { line: 0, column: 0 }
        expect(outerLines[at - 1]?.[column - 1]).toBe(line[0])
      }
    }),
  )
})

test('a YAML file inside a ConfigMap reports the line of the outer file', () => {
  const outer = 'kind: ConfigMap\ndata:\n  config.yaml: |\n\n    issuer: x\n    web:\n      http: y\n'
  const text = read(outer)?.text(['data', 'config.yaml'])
  const inner = text && parseYaml(text, new Problems())
  expect(inner?.value).toEqual({ issuer: 'x', web: { http: 'y' } })
  expect(inner?.source.position(['web', 'http'])).toEqual({ line: 7, column: 7 })
})
