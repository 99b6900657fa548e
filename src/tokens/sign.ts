import type { KeyObject } from 'node:crypto'
import { signBytes } from './algorithms.ts'
import type { JsonObject } from './jwt.ts'

/** A private key ready to sign. */
export interface SigningKey {
  readonly kid: string
  readonly alg: string
  readonly privateKey: KeyObject
}

/**
 * A compact JWS of these claims. The header is exactly `alg`, then `header`'s members, then `kid`, so that each part
 * can reproduce its original's bytes (Keycloak: alg, typ, kid; Dex: alg, kid).
 */
export async function signJwt(claims: JsonObject, key: SigningKey, header: JsonObject = {}): Promise<string> {
  const input = `${encode({ alg: key.alg, ...header, kid: key.kid })}.${encode(claims)}`
  const signature = await signBytes(input, key.privateKey, key.alg)
  return `${input}.${signature.toString('base64url')}`
}

function encode(value: JsonObject): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url')
}
