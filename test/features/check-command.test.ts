import { spawnSync } from 'node:child_process'
import { chmodSync, readdirSync, readFileSync, statSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test, vi } from 'vitest'
import { runCli } from '../../src/cli/index.ts'
import { rules } from '../../src/insight/lint/index.ts'
import { directoryOf } from './config-world.ts'

/** Runs `gatehouse check ARGS` in this process. */
async function check(args: readonly string[]) {
  const told = { stdout: '', stderr: '' }
  for (const stream of ['stdout', 'stderr'] as const) {
    vi.spyOn(process[stream], 'write').mockImplementation((text) => {
      told[stream] += String(text)
      return true
    })
  }
  try {
    return { status: await runCli(['check', ...args]), ...told }
  } finally {
    vi.restoreAllMocks()
  }
}

const exampleOf = (id: string, kind: 'bad' | 'good') => rules.find((rule) => rule.id === id)?.[kind] ?? {}

test('errors exit with 1, clean files and notes with 0, warnings only when strict', async () => {
  expect((await check([directoryOf(exampleOf('stray-wildcard', 'bad'))])).status).toBe(1)
  expect(await check([directoryOf(exampleOf('stray-wildcard', 'good'))])).toEqual({
    status: 0,
    stdout: 'nothing to complain of\n',
    stderr: '',
  })
  const warned = directoryOf(exampleOf('double-star', 'bad'))
  expect((await check([warned])).status).toBe(0)
  expect((await check([warned, '--strict'])).status).toBe(1)
  expect(await check([warned, '--strict', '--ignore', 'double-star'])).toMatchObject({ status: 0 })
  expect(await check([warned, '--strict', '--severity', 'error'])).toMatchObject({ status: 0 })
})

test('files are named as they were given', async () => {
  const directory = directoryOf(exampleOf('stray-wildcard', 'bad'))
  const file = join(directory, 'policy.yaml')
  expect((await check([file])).stdout).toContain(`${file}:8:16  error stray-wildcard`)
  expect((await check([directory, '--format', 'github'])).stdout).toContain(`::error file=${file},line=8,col=16,`)
})

test('a gatehouse.yaml is checked as `up --config` reads it', async () => {
  const directory = directoryOf({ 'gatehouse.yaml': 'publicUrl: https://platform.example.com\nbrokr: {}\n' })
  const { status, stdout } = await check([directory, '--format', 'github'])
  expect(status).toBe(1)
  expect(stdout).toContain(`::error file=${join(directory, 'gatehouse.yaml')},line=2,`)
  const fine = directoryOf({ 'gatehouse.yaml': 'publicUrl: https://platform.example.com\n' })
  expect((await check([fine])).status).toBe(0)
})

test('a gatehouse.yaml that is named may be called anything', async () => {
  const directory = directoryOf({ 'mine.yaml': 'publicUrl: https://platform.example.com\nbrokr: {}\n' })
  expect((await check([join(directory, 'mine.yaml')])).stdout).toContain('did you mean `broker`?')
})

test('what bites at Istio’s own gateway only is no matter of a gatehouse.yaml that does not ask for that', async () => {
  const policies = { 'ra.yaml': Object.values(exampleOf('array-claim-to-header', 'bad'))[0] ?? '' }
  const yaml = (mode: string) => `publicUrl: https://platform.example.com\ngateway: {files: [ra.yaml], mode: ${mode}}\n`
  const notes = async (mode: string) => {
    const { stdout } = await check([directoryOf({ ...policies, 'gatehouse.yaml': yaml(mode) }), '--format', 'github'])
    return stdout.match(/title=array-claim-to-header/g)?.length ?? 0
  }
  expect([await notes('native'), await notes('istio')]).toEqual([0, 1])
})

test('every rule looks at a gatehouse.yaml and the files it names, which belong to no other chain', async () => {
  const directory = directoryOf({
    'gatehouse.yaml': `publicUrl: https://platform.example.com
broker: {from: dex.yaml}
proxy:
  cookie_expire: 48h
  cookie_refresh: "0"
gateway: {files: [istio]}
`,
    'dex.yaml': `issuer: https://platform.example.com/dex
storage: {type: memory}
web: {http: 0.0.0.0:5556}
enablePasswordDB: true
`,
    'istio/policy.yaml': Object.values(exampleOf('stray-wildcard', 'bad'))[0] ?? '',
  })
  const { status, stdout } = await check([directory, '--format', 'github'])
  expect(status).toBe(1)
  expect(stdout).toContain(
    `::warning file=${join(directory, 'gatehouse.yaml')},line=4,col=3,title=cookie-outlives-token`,
  )
  expect(stdout.match(/title=stray-wildcard/g)?.length).toBe(1)
  expect(stdout).toContain(`file=${join(directory, 'istio/policy.yaml')},line=8,col=16,`)
})

test('a stream is read as what its text is', () => {
  const [text = ''] = Object.values(exampleOf('stray-wildcard', 'bad'))
  const main = fileURLToPath(new URL('../../src/main.mjs', import.meta.url))
  const run = spawnSync(process.execPath, [main, 'check', '-', '--format', 'json'], { input: text, encoding: 'utf8' })
  expect(run.status).toBe(1)
  expect(run.stdout).toContain('"file": "stdin.yaml"')
})

test('files that cannot be read are told, too', async () => {
  const { status, stdout } = await check([join(directoryOf({}), 'absent.yaml')])
  expect(status).toBe(1)
  expect(stdout).toContain('absent.yaml  error configuration')
})

test('a directory without files is called that', async () => {
  const empty = directoryOf({})
  expect((await check([empty])).stdout).toContain(`${empty}  error configuration\n  has no file to check`)
})

test('called wrongly it says how, and exits with 2', async () => {
  const wrong: readonly (readonly [readonly string[], string])[] = [
    [[], 'gatehouse: name the files or the directory to check, or `-` for the standard input\n'],
    [['x', '--format', 'xml'], 'gatehouse: --format must be one of text, json, sarif, github, got `xml`\n'],
    [['x', '--severity', 'bad'], 'gatehouse: --severity must be one of note, warning, error, got `bad`\n'],
    [['x', '--ignore', 'double-start'], 'gatehouse: unknown rule `double-start`; did you mean `double-star`?\n'],
    [['-', '--fix'], 'gatehouse: --fix changes files, so it does not go with the standard input\n'],
  ]
  for (const [args, stderr] of wrong) expect(await check(args)).toEqual({ status: 2, stdout: '', stderr })
})

test('--explain shows the page of a rule', async () => {
  const { status, stdout } = await check(['--explain', 'exempt-in-one-list'])
  expect(status).toBe(0)
  expect(stdout).toMatch(/^exempt-in-one-list {2}warning/)
  for (const part of ['Why  ', 'Fix  ', 'Bad', 'Good', '# policies.yaml']) expect(stdout).toContain(part)
})

test('--fix writes the files, shows what changed and is done the second time', async () => {
  const directory = directoryOf(exampleOf('exempt-in-one-list', 'bad'))
  const file = join(directory, 'policies.yaml')
  chmodSync(file, 0o666)
  const { status, stdout, stderr } = await check([directory, '--fix'])
  expect({ status, stdout }).toEqual({ status: 0, stdout: 'nothing to complain of\n' })
  expect(stderr).toContain('-        notPaths: [/dex/*]\n+        notPaths: [/dex/*, /oauth2/*]\n')
  expect(stderr).toContain(`mended 1 in ${file}\n`)
  expect(readFileSync(file, 'utf8')).toBe(exampleOf('exempt-in-one-list', 'good')['policies.yaml'])
  expect(statSync(file).mode & 0o777).toBe(0o666)
  expect(await check([directory, '--fix'])).toEqual({ status: 0, stdout: 'nothing to complain of\n', stderr: '' })
})

test('--fix writes through links and leaves nothing beside the files', async () => {
  const directory = directoryOf(exampleOf('exempt-in-one-list', 'bad'))
  const linked = directoryOf({})
  symlinkSync(join(directory, 'policies.yaml'), join(linked, 'policies.yaml'))
  expect((await check([linked, '--fix'])).status).toBe(0)
  expect(readFileSync(join(directory, 'policies.yaml'), 'utf8')).toBe(
    exampleOf('exempt-in-one-list', 'good')['policies.yaml'],
  )
  expect([readdirSync(directory), readdirSync(linked)]).toEqual([['policies.yaml'], ['policies.yaml']])
})
