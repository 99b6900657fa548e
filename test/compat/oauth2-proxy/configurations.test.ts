import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { settleCommandLine } from '../../../src/app/oauth2-proxy/command-line.ts'
import { parseProxyFlags } from '../../../src/proxy/flags.ts'
import { type ConfigurationCase, configurationCases, type RecordedConfiguration } from './configurations.ts'

const recordings: ReadonlyMap<string, RecordedConfiguration> = new Map(
  // written by test/interop/oauth2-proxy-configurations.test.ts
  (
    JSON.parse(readFileSync(new URL('recorded-configurations.json', import.meta.url), 'utf8')) as {
      readonly configurations: readonly RecordedConfiguration[]
    }
  ).configurations.map((recorded) => [recorded.what, recorded]),
)

function settle({ args, env = {}, files = {} }: ConfigurationCase): { status: number; stdout: string } {
  const flags = parseProxyFlags(args)
  if (flags.unknown.length > 0) return { status: 2, stdout: '' }
  const readFile = (path: string): string => {
    const text = files[path]
    if (text === undefined) throw Object.assign(new Error(path), { code: 'ENOENT' })
    return text
  }
  const outcome = settleCommandLine({ argv: args, flags, variables: env, readFile })
  return outcome.kind === 'end' ? outcome : { status: 0, stdout: '' }
}

test.each(configurationCases.map((one) => [one.what, one] as const))('%s: as oauth2-proxy has it', (what, one) => {
  const { status, stdout } = settle(one)
  const recorded = recordings.get(what)
  if (one.stricter !== undefined) {
    expect([recorded?.status, status]).toEqual([0, 1])
    return
  }
  expect({ status, stdout }).toEqual({ status: recorded?.status, stdout: recorded?.stdout })
})
