import { readFileSync } from 'node:fs'
import process from 'node:process'
import { fail } from '../../kit/errors.ts'
import type { SecretSource } from './alpha-options.ts'

/**
 * What a secret source holds: its value, a variable or a file, to the byte (oauth2-proxy pkg/apis/options/util).
 * @throws GatehouseError `config` where not exactly one is named, or the file cannot be read.
 */
export function readSecret({ value = '', fromEnv = '', fromFile = '' }: SecretSource): string {
  const given = [value, fromEnv, fromFile].filter((one) => one !== '')
  if (given.length > 1) fail('config', 'a secret source names more than one of value, fromEnv and fromFile')
  if (fromEnv !== '') return process.env[fromEnv] ?? ''
  if (fromFile === '') return value
  try {
    return readFileSync(fromFile, 'utf8')
  } catch (cause) {
    return fail('config', `the secret file \`${fromFile}\` cannot be read`, { cause })
  }
}
