import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import process from 'node:process'
import { expect, test } from 'vitest'
import {
  type ConfigurationCase,
  configurationCases,
  type RecordedConfiguration,
} from '../compat/oauth2-proxy/configurations.ts'
import { describeWith, goModuleVersion } from './programs.ts'
import { isRecording } from './record-sessions.ts'

const recordingFile = new URL('../compat/oauth2-proxy/recorded-configurations.json', import.meta.url)

/** What the real program does with a configuration: its status, and what it prints when it converts. */
function settle(program: string, { what, args, env = {}, files = {} }: ConfigurationCase): RecordedConfiguration {
  const directory = mkdtempSync(join(tmpdir(), 'gatehouse-configuration-'))
  try {
    for (const [name, text] of Object.entries(files)) writeFileSync(join(directory, name), text)
    const options = {
      cwd: directory,
      env: { PATH: process.env['PATH'], HOME: '/root', ...env },
      encoding: 'utf8',
    } as const
    const { status, stdout } = spawnSync(program, args, options)
    // Beside what was asked for, log lines go there, too.
    return { what, status: status ?? -1, stdout: stdout.replace(/^\[\d{4}\/.*\n/gm, '') }
  } finally {
    rmSync(directory, { recursive: true })
  }
}

describeWith({ name: 'oauth2-proxy', from: 'github.com/oauth2-proxy/oauth2-proxy/releases' }, (program) => {
  test('every configuration is taken or refused, and converted, as recorded', () => {
    const configurations = configurationCases.map((one) => settle(program, one))
    if (isRecording) {
      const version = goModuleVersion(program, 'github.com/oauth2-proxy/oauth2-proxy/v7') ?? 'unknown'
      const recording = { program: `oauth2-proxy ${version}`, configurations }
      writeFileSync(recordingFile, `${JSON.stringify(recording, null, 2)}\n`)
    }
    expect(JSON.parse(readFileSync(recordingFile, 'utf8'))).toMatchObject({ configurations })
  })
})
