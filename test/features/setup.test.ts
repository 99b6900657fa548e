import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import process from 'node:process'
import { expect, test } from 'vitest'

const root = resolve(import.meta.dirname, '../..')

test('the setup is silent where nothing is missing', () => {
  expect(setupIn(root)).toEqual({ status: 0, stdout: '', stderr: '' })
})

test('what the setup says is kept out of the standard output', () => {
  const clone = mkdtempSync(join(tmpdir(), 'gatehouse-setup-'))
  try {
    const lock = {
      name: 'clone',
      version: '1.0.0',
      lockfileVersion: 3,
      packages: { '': { name: 'clone', version: '1.0.0' } },
    }
    writeFileSync(join(clone, 'package.json'), JSON.stringify({ name: 'clone', version: '1.0.0' }))
    writeFileSync(join(clone, 'package-lock.json'), JSON.stringify(lock))
    const { status, stdout, stderr } = setupIn(clone)
    expect({ status, stdout }).toEqual({ status: 0, stdout: '' })
    expect(stderr).toContain('Installing the packages')
  } finally {
    rmSync(clone, { recursive: true })
  }
})

test('what only the tests need is installed for the tests only', () => {
  const clone = mkdtempSync(join(tmpdir(), 'gatehouse-setup-'))
  try {
    mkdirSync(join(clone, 'node_modules'))
    const packages = { 'node_modules/a': { version: '1.0.0' }, 'node_modules/tool': { version: '1.0.0', dev: true } }
    writeFileSync(join(clone, 'package-lock.json'), JSON.stringify({ packages }))
    const present = { 'node_modules/a': { version: '1.0.0' } }
    writeFileSync(join(clone, 'node_modules/.package-lock.json'), JSON.stringify({ packages: present }))
    expect(setupIn(clone)).toEqual({ status: 0, stdout: '', stderr: '' })
    expect(setupIn(clone, '--test').stderr).toContain('Installing the packages') // and fails: there is no package.json
  } finally {
    rmSync(clone, { recursive: true })
  }
})

function setupIn(cwd: string, ...args: readonly string[]) {
  const script = join(root, 'scripts/setup.mjs')
  const { status, stdout, stderr } = spawnSync(process.execPath, [script, ...args], { cwd, encoding: 'utf8' })
  return { status, stdout, stderr }
}
