import fc from 'fast-check'
import { expect, test } from 'vitest'
import { formatProblem, Problems } from '../kit/problems.ts'
import { parseEnvText } from './env-source.ts'
import { fileText } from './source-text.ts'
import { parseToml } from './toml-source.ts'

test('every variable of an env file is found on its line', () => {
  const name = fc.stringMatching(/^[A-Z][A-Z0-9_]{0,12}$/)
  const value = fc.stringMatching(/^[a-z0-9=:/ .-]{0,20}$/).map((text) => text.trim())
  const noise = fc.constantFrom('', '# comment', '   ')
  fc.assert(
    fc.property(fc.uniqueArray(fc.tuple(name, value, noise), { selector: ([key]) => key }), (variables) => {
      const text = variables.map(([key, content, above]) => `${above}\n${key}=${content}`).join('\n')
      const document = parseEnvText(fileText('params.env', text), new Problems())
      expect(document.value).toEqual(Object.fromEntries(variables))
      for (const [index, [key]] of variables.entries()) {
        expect(document.source.position([key])?.line).toBe(2 * index + 2)
      }
    }),
  )
})

test('an env file loses its quotes and `export`, and names the line it cannot read', () => {
  const problems = new Problems()
  const { value } = parseEnvText(fileText('p.env', 'PORT="8080"\nexport A=\'x y\'\nB=\nnonsense\n'), problems)
  expect(value).toEqual({ PORT: '8080', A: 'x y', B: '' })
  expect(problems.list.map(formatProblem)).toEqual(['p.env:4:1: error: not a line of an env file; write `NAME=value`'])
})

test('a TOML key is found on its line, also behind lists of several lines', () => {
  const text = 'provider = "oidc"\napi_routes = [\n  "/api/",\n  "x = y",\n]\nCookie_Name = "k"\nx = 1\n[t]\na = 1\n'
  const document = parseToml(fileText('o.cfg', text), new Problems())
  const line = (...path: (string | number)[]) => document?.source.position(path)?.line
  expect([line('provider'), line('api_routes', 1), line('cookie_name'), line('x'), line('t', 'a')]).toEqual([
    1, 2, 6, 7, 9,
  ])
})

test('broken TOML is a problem at its line', () => {
  const problems = new Problems()
  expect(parseToml(fileText('o.cfg', 'a = "x"\nb = [\n'), problems)).toBeUndefined()
  expect(parseToml(fileText('o.cfg', 'a = "x"\na = "y"\n'), problems)).toBeUndefined()
  expect(problems.list.map(({ line, message }) => [line, message.startsWith('not valid TOML: ')])).toEqual([
    [3, true],
    [2, true],
  ])
})

test('a text without quotes is told what it lacks', () => {
  const problems = new Problems()
  expect(parseToml(fileText('o.cfg', 'client_id = x\n'), problems)).toBeUndefined()
  expect(problems.list).toMatchObject([
    { line: 1, message: 'not valid TOML: invalid value', fix: 'write texts in quotes' },
  ])
})
