import {
  constants,
  createHmac,
  type KeyObject,
  sign as signCallback,
  timingSafeEqual,
  verify as verifySync,
} from 'node:crypto'
import { promisify } from 'node:util'

const signOnPool = promisify(signCallback)

/** What a JWS `alg` means to `node:crypto` (RFC 7518 §3.1, RFC 8037 §3.1). */
interface Algorithm {
  readonly kind: 'rsa' | 'rsa-pss' | 'ec' | 'eddsa' | 'hmac'
  readonly hash: string | null
  /** EC: bytes of r and of s. */
  readonly size?: number
  readonly curve?: string
}

/** Every algorithm tokens are verified with; `none` is not among them. */
export const algorithms: Readonly<Record<string, Algorithm>> = {
  RS256: { kind: 'rsa', hash: 'sha256' },
  RS384: { kind: 'rsa', hash: 'sha384' },
  RS512: { kind: 'rsa', hash: 'sha512' },
  PS256: { kind: 'rsa-pss', hash: 'sha256' },
  PS384: { kind: 'rsa-pss', hash: 'sha384' },
  PS512: { kind: 'rsa-pss', hash: 'sha512' },
  ES256: { kind: 'ec', hash: 'sha256', size: 32, curve: 'prime256v1' },
  ES384: { kind: 'ec', hash: 'sha384', size: 48, curve: 'secp384r1' },
  ES512: { kind: 'ec', hash: 'sha512', size: 66, curve: 'secp521r1' },
  EdDSA: { kind: 'eddsa', hash: null },
  HS256: { kind: 'hmac', hash: 'sha256' },
  HS384: { kind: 'hmac', hash: 'sha384' },
  HS512: { kind: 'hmac', hash: 'sha512' },
}

/** Those with a public key: what the tokens of an issuer elsewhere may be signed with. */
export const publicKeyAlgorithms: readonly string[] = Object.entries(algorithms).flatMap(([alg, { kind }]) =>
  kind === 'hmac' ? [] : alg,
)

/** Whether this key is of the type, and curve, the algorithm needs; closes algorithm confusion. */
export function fitsAlgorithm(key: KeyObject, alg: string): boolean {
  const algorithm = Object.hasOwn(algorithms, alg) ? algorithms[alg] : undefined
  if (!algorithm) return false
  if (algorithm.kind === 'hmac') return key.type === 'secret'
  if (key.type === 'secret') return false
  if (algorithm.kind === 'ec') {
    return key.asymmetricKeyType === 'ec' && key.asymmetricKeyDetails?.namedCurve === algorithm.curve
  }
  if (algorithm.kind === 'eddsa') return key.asymmetricKeyType === 'ed25519' || key.asymmetricKeyType === 'ed448'
  return key.asymmetricKeyType === 'rsa'
}

/** Signs off the event loop. EC signatures are made as DER and converted to r‖s (RFC 7518 §3.4). */
export async function signBytes(input: string, key: KeyObject, alg: string): Promise<Buffer> {
  const algorithm = requireAlgorithm(key, alg)
  if (algorithm.kind === 'hmac')
    return createHmac(algorithm.hash ?? '', key)
      .update(input)
      .digest()
  const signature = await signOnPool(algorithm.hash, Buffer.from(input), withPadding(key, algorithm))
  return algorithm.kind === 'ec' ? derToRaw(signature, algorithm.size ?? 0) : signature
}

/** Whether `signature` over `input` is this key's. Never throws on a malformed signature. */
export function verifyBytes(input: string, signature: Buffer, key: KeyObject, alg: string): boolean {
  const algorithm = Object.hasOwn(algorithms, alg) ? algorithms[alg] : undefined
  if (!algorithm || !fitsAlgorithm(key, alg)) return false
  if (algorithm.kind === 'hmac') {
    const expected = createHmac(algorithm.hash ?? '', key)
      .update(input)
      .digest()
    return expected.length === signature.length && timingSafeEqual(expected, signature)
  }
  if (algorithm.kind === 'ec') {
    if (signature.length !== (algorithm.size ?? 0) * 2) return false
    return verifySync(algorithm.hash, Buffer.from(input), key, rawToDer(signature))
  }
  return verifySync(algorithm.hash, Buffer.from(input), withPadding(key, algorithm), signature)
}

function requireAlgorithm(key: KeyObject, alg: string): Algorithm {
  const algorithm = Object.hasOwn(algorithms, alg) ? algorithms[alg] : undefined
  if (!algorithm || !fitsAlgorithm(key, alg))
    throw new TypeError(`a ${key.asymmetricKeyType ?? key.type} key cannot sign ${alg}`)
  return algorithm
}

function withPadding(key: KeyObject, { kind }: Algorithm) {
  if (kind !== 'rsa-pss') return key
  return { key, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: constants.RSA_PSS_SALTLEN_DIGEST }
}

/** DER `SEQUENCE { INTEGER r, INTEGER s }` to fixed-size r‖s. */
function derToRaw(der: Buffer, size: number): Buffer {
  let offset = der[1] !== undefined && der[1] & 0x80 ? 3 : 2
  const raw = Buffer.alloc(size * 2)
  for (const half of [0, 1]) {
    const length = der[offset + 1] ?? 0
    const integer = der.subarray(offset + 2, offset + 2 + length)
    const digits = integer.subarray(Math.max(0, integer.length - size))
    digits.copy(raw, size * (half + 1) - digits.length)
    offset += 2 + length
  }
  return raw
}

function rawToDer(raw: Buffer): Buffer {
  const size = raw.length / 2
  const body = Buffer.concat([derInteger(raw.subarray(0, size)), derInteger(raw.subarray(size))])
  const length = body.length > 127 ? [0x30, 0x81, body.length] : [0x30, body.length]
  return Buffer.concat([Buffer.from(length), body])
}

function derInteger(bytes: Buffer): Buffer {
  let start = 0
  while (start < bytes.length - 1 && bytes[start] === 0) start += 1
  const digits = bytes.subarray(start)
  const sign = (digits[0] ?? 0) & 0x80 ? [0] : []
  return Buffer.concat([Buffer.from([0x02, digits.length + sign.length, ...sign]), digits])
}
