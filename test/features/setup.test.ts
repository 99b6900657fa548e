import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
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

function setupIn(cwd: string) {
  const script = join(root, 'scripts/setup.mjs')
  const { status, stdout, stderr } = spawnSync(process.execPath, [script], { cwd, encoding: 'utf8' })
  return { status, stdout, stderr }
}
