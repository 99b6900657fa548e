/**
 * Room `oidc`: building blocks of an OpenID provider that realm and broker both compose (code redemption, token
 * hashes, sealed pre-login state, token responses). It knows the protocol, never which original a part stands for.
 */
import { createHash } from 'node:crypto'

/** `at_hash` / `c_hash`: the left half of the hash of a token or code (OpenID Connect Core §3.1.3.6, §3.3.2.11). */
export function halfHash(value: string, alg: string): string {
  const bits = /(\d{3})$/.exec(alg)?.[1] ?? '512' // EdDSA with Ed25519 hashes with SHA-512
  const digest = createHash(`sha${bits}`).update(value).digest()
  return digest.subarray(0, digest.length / 2).toString('base64url')
}
