import { spawnSync } from 'node:child_process'
import { readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { rules } from '../../src/insight/lint/index.ts'
import { directoryOf } from './config-world.ts'

const main = fileURLToPath(new URL('../../src/main.mjs', import.meta.url))

function check(args: readonly string[], input = '') {
  const env = { ...process.env, NO_COLOR: '1' }
  const { status, stdout, stderr } = spawnSync(process.execPath, [main, 'check', ...args], {
    input,
    encoding: 'utf8',
    env,
  })
  return { status, stdout, stderr }
}

const exampleOf = (id: string, kind: 'bad' | 'good') => rules.find((rule) => rule.id === id)?.[kind] ?? {}

test('errors exit with 1, clean files and notes with 0, warnings only when strict', () => {
  expect(check([directoryOf(exampleOf('stray-wildcard', 'bad'))]).status).toBe(1)
  expect(check([directoryOf(exampleOf('stray-wildcard', 'good'))])).toEqual({
    status: 0,
    stdout: 'nothing to complain of\n',
    stderr: '',
  })
  const warned = directoryOf(exampleOf('double-star', 'bad'))
  expect(check([warned]).status).toBe(0)
  expect(check([warned, '--strict']).status).toBe(1)
  expect(check([warned, '--strict', '--ignore', 'double-star'])).toMatchObject({ status: 0 })
  expect(check([warned, '--strict', '--severity', 'error'])).toMatchObject({ status: 0 })
})

test('files are named as they were given', () => {
  const directory = directoryOf(exampleOf('stray-wildcard', 'bad'))
  const file = join(directory, 'policy.yaml')
  expect(check([file]).stdout).toContain(`${file}:8:16  error stray-wildcard`)
  expect(check([directory, '--format', 'github']).stdout).toContain(`::error file=${file},line=8,col=16,`)
})

test('a gatehouse.yaml is checked as `up --config` reads it', () => {
  const directory = directoryOf({ 'gatehouse.yaml': 'publicUrl: https://platform.example.com\nbrokr: {}\n' })
  const { status, stdout } = check([directory, '--format', 'github'])
  expect(status).toBe(1)
  expect(stdout).toContain(`::error file=${join(directory, 'gatehouse.yaml')},line=2,`)
  const fine = directoryOf({ 'gatehouse.yaml': 'publicUrl: https://platform.example.com\n' })
  expect(check([fine]).status).toBe(0)
})

test('a stream is read as what its text is', () => {
  const [text = ''] = Object.values(exampleOf('stray-wildcard', 'bad'))
  expect(check(['-', '--format', 'json'], text)).toMatchObject({
    status: 1,
    stdout: expect.stringContaining('"file": "stdin.yaml"'),
  })
})

test('files that cannot be read are told, too', () => {
  const { status, stdout } = check([join(directoryOf({}), 'absent.yaml')])
  expect(status).toBe(1)
  expect(stdout).toContain('absent.yaml  error configuration')
})

test('called wrongly it says how, and exits with 2', () => {
  const wrong: readonly (readonly [readonly string[], string])[] = [
    [[], 'gatehouse: name the files or the directory to check, or `-` for the standard input\n'],
    [['x', '--format', 'xml'], 'gatehouse: --format must be one of text, json, sarif, github, got `xml`\n'],
    [['x', '--severity', 'bad'], 'gatehouse: --severity must be one of note, warning, error, got `bad`\n'],
    [['x', '--ignore', 'double-start'], 'gatehouse: unknown rule `double-start`; did you mean `double-star`?\n'],
    [['-', '--fix'], 'gatehouse: --fix changes files, so it does not go with the standard input\n'],
  ]
  for (const [args, stderr] of wrong) expect(check(args)).toEqual({ status: 2, stdout: '', stderr })
})

test('--explain shows the page of a rule', () => {
  const { status, stdout } = check(['--explain', 'exempt-in-one-list'])
  expect(status).toBe(0)
  expect(stdout).toMatch(/^exempt-in-one-list {2}warning/)
  for (const part of ['Why  ', 'Fix  ', 'Bad', 'Good', '# policies.yaml']) expect(stdout).toContain(part)
})

test('--fix writes the files, shows what changed and is done the second time', () => {
  const directory = directoryOf(exampleOf('exempt-in-one-list', 'bad'))
  const file = join(directory, 'policies.yaml')
  writeFileSync(file, readFileSync(file), { mode: 0o640 })
  const mode = statSync(file).mode
  const { status, stdout, stderr } = check([directory, '--fix'])
  expect({ status, stdout }).toEqual({ status: 0, stdout: 'nothing to complain of\n' })
  expect(stderr).toContain('-        notPaths: [/dex/*, /oauth2/*]\n+        notPaths: [/dex/*, /oauth2/*, /myapp/*]\n')
  expect(stderr).toContain(`mended 1 in ${file}\n`)
  expect(readFileSync(file, 'utf8')).toBe(exampleOf('exempt-in-one-list', 'good')['policies.yaml'])
  expect(statSync(file).mode).toBe(mode)
  expect(check([directory, '--fix'])).toEqual({ status: 0, stdout: 'nothing to complain of\n', stderr: '' })
})
