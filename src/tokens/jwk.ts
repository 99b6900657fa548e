import { createHash, createPublicKey, createSecretKey, type KeyObject } from 'node:crypto'

/** A JSON Web Key (RFC 7517 §4). */
export interface Jwk {
  readonly kty?: string
  readonly kid?: string
  readonly alg?: string
  readonly use?: string
  readonly [member: string]: unknown
}

/** A published key, ready to verify with. */
export interface VerificationKey {
  readonly kid: string | undefined
  readonly alg: string | undefined
  readonly key: KeyObject
}

/** The usable signature keys of a JWK Set document (RFC 7517 §5); others are left out, as §5 asks. */
export function parseKeySet(document: unknown): VerificationKey[] {
  const keys = (document as { keys?: unknown } | null)?.keys
  if (!Array.isArray(keys)) return []
  return keys.flatMap((jwk) => parseKey(jwk) ?? [])
}

/** Of 16,384 bits, base64url: verifying with a longer RSA key only costs time. */
const longestModulus = 2731

function parseKey(jwk: unknown): VerificationKey | undefined {
  if (typeof jwk !== 'object' || jwk === null) return undefined
  const { kid, alg, use, kty, k, n } = jwk as Record<string, unknown>
  if (use !== undefined && use !== 'sig') return undefined
  if (typeof n === 'string' && n.length > longestModulus) return undefined
  try {
    const key =
      kty === 'oct' && typeof k === 'string'
        ? createSecretKey(Buffer.from(k, 'base64url'))
        : createPublicKey({ key: jwk as Jwk, format: 'jwk' })
    return { kid: typeof kid === 'string' ? kid : undefined, alg: typeof alg === 'string' ? alg : undefined, key }
  } catch {
    return undefined
  }
}

/** The public JWK of a key, members in Dex's and Keycloak's order: `kid, kty, alg, use`, then the numbers. */
export function publicJwk(key: KeyObject, { kid, alg }: { kid: string; alg: string }): Jwk & { readonly kid: string } {
  const { kty, ...numbers } = createPublicKey(key.export({ format: 'pem', type: 'pkcs8' })).export({ format: 'jwk' })
  return { kid, kty: kty ?? '', alg, use: 'sig', ...numbers }
}

/** The JWK thumbprint (RFC 7638), base64url: a stable, content-derived `kid`. */
export function thumbprint(jwk: Jwk): string {
  const members: Record<string, readonly string[]> = {
    RSA: ['e', 'kty', 'n'],
    EC: ['crv', 'kty', 'x', 'y'],
    OKP: ['crv', 'kty', 'x'],
  }
  const names = members[jwk.kty ?? ''] ?? ['kty']
  const canonical = JSON.stringify(Object.fromEntries(names.map((name) => [name, jwk[name]])))
  return createHash('sha256').update(canonical).digest('base64url')
}
