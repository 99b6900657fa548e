import { createHash } from 'node:crypto'
import { compare } from '@node-rs/bcrypt'
import { GatehouseError } from '../../kit/errors.ts'
import { isEqualSecret } from '../../oauth/pkce.ts'
import { csvRecords } from './csv-records.ts'

/** Password hashes by user name. */
export type PasswordHashes = ReadonlyMap<string, string>

const sha = '{SHA}'
const bcryptForm = /^\$2[abxy]\$\d\d\$/

/**
 * Reads an `htpasswd_file` (oauth2-proxy pkg/authentication/basic/htpasswd.go).
 * @throws GatehouseError `config` for a line that is no `user:{SHA}…` or `user:$2…`, and for a file without users.
 */
export function parseHtpasswd(text: string): PasswordHashes {
  const records = csvRecords(text, ':')
  const bad = records.filter(([user, hash = '', ...more]) => !user || more.length > 0 || !isHash(hash))
  if (bad.length > 0) {
    const names = bad.map(([user]) => `\`${user}\``).join(', ')
    const fix = 'make entries with `htpasswd -B` or `htpasswd -s`'
    throw new GatehouseError('config', `no SHA-1 or bcrypt entry in the password file for ${names}; ${fix}`)
  }
  if (records.length === 0) throw new GatehouseError('config', 'the password file has no users')
  return new Map(records.map(([user = '', hash = '']) => [user, hash]))
}

function isHash(hash: string): boolean {
  return (hash.startsWith(sha) && hash.length > sha.length) || bcryptForm.test(hash)
}

/** Whether this is the password of a hash. */
export async function isPasswordOf(hash: string, password: string): Promise<boolean> {
  if (hash.startsWith(sha)) {
    return isEqualSecret(createHash('sha1').update(password).digest('base64'), hash.slice(sha.length))
  }
  // Apache writes `$2y$` for what others call `$2b$`.
  return compare(password, hash.replace(/^\$2[xy]\$/, '$2b$')).catch(() => false)
}

/** A hash to try where there is no such user: as slow as that of most, so that the time does not tell. */
export function decoyOf(hashes: PasswordHashes): string {
  const all = [...hashes.values()]
  return all.find((hash) => bcryptForm.test(hash)) ?? all[0] ?? ''
}
