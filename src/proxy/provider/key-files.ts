import { createPublicKey } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { GatehouseError } from '../../kit/errors.ts'
import type { RemoteKeySet } from '../../tokens/remote-key-set.ts'

/**
 * A key set from PEM files (`oidc_public_key_files`): each key is tried, none has an id.
 * @throws GatehouseError `config` for a file that holds no public key.
 */
export function openKeyFiles(files: readonly string[]): RemoteKeySet {
  const keys = files.map((file) => ({ kid: undefined, alg: undefined, key: publicKeyIn(file) }))
  const keySet = { keysFor: async () => keys, refresh: async () => true }
  return keySet
}

function publicKeyIn(file: string) {
  try {
    return createPublicKey(readFileSync(file))
  } catch (cause) {
    throw new GatehouseError('config', `\`${file}\` holds no public key in PEM`, { cause })
  }
}
