/**
 * Room `tokens`: JSON Web Tokens and their keys (sign, verify, key rings with rotation, remote key sets). It knows RFC
 * 7515–7519, not who signs in.
 */

import { algorithms } from './algorithms.ts'

/** A claims set or header: a JSON object. */
export type JsonObject = { readonly [name: string]: unknown }

/** A compact JWS taken apart, nothing verified yet. */
export interface ParsedJwt {
  readonly header: JsonObject & { readonly alg: string; readonly kid?: string }
  readonly claims: JsonObject
  /** What the signature covers: the first two parts with their dot. */
  readonly signingInput: string
  readonly signature: Buffer
}

/** Why a text is no JWT; the words Envoy and others put in their messages are chosen by their callers. */
export type JwtMalformation =
  | 'not-three-parts'
  | 'header-not-base64url'
  | 'header-not-json'
  | 'header-alg-missing'
  | 'header-alg-unknown'
  | 'header-kid-not-string'
  | 'payload-not-base64url'
  | 'payload-not-json'
  | 'signature-not-base64url'
  | { readonly claim: string; readonly wanted: 'string' | 'number' | 'positive' | 'string-or-list' }

/** How a part of a token is read: its bytes, or `undefined` where it is none. */
type ReadPart = (text: string) => Buffer | undefined

/**
 * Takes a compact JWS apart; checks form and the types of the registered claims, in Envoy's order, not signature or time.
 * `lenient` reads what Envoy does: blanks and padding in base64, a signature in any spelling, dots in a row; but no time
 * before 1970.
 */
export function parseJwt(
  token: string,
  reading: 'strict' | 'lenient' = 'strict',
): ParsedJwt | { readonly malformed: JwtMalformation } {
  const isLenient = reading === 'lenient'
  const readPart = isLenient ? readLenient : readStrict
  const parts = token.split('.', isLenient ? token.length : 4).filter((part) => !isLenient || part !== '')
  const [headerText = '', claimsText = '', signatureText = ''] = parts
  if (parts.length !== 3) return { malformed: 'not-three-parts' }

  const headerBytes = readPart(headerText)
  if (!headerBytes) return { malformed: 'header-not-base64url' }
  const header = parseObject(headerBytes)
  if (!header) return { malformed: 'header-not-json' }
  if (typeof header['alg'] !== 'string') return { malformed: 'header-alg-missing' }
  if (isLenient && !Object.hasOwn(algorithms, header['alg'])) return { malformed: 'header-alg-unknown' }
  if (header['kid'] !== undefined && typeof header['kid'] !== 'string') return { malformed: 'header-kid-not-string' }

  const claimsBytes = readPart(claimsText)
  if (!claimsBytes) return { malformed: 'payload-not-base64url' }
  const claims = parseObject(claimsBytes)
  if (!claims) return { malformed: 'payload-not-json' }
  const badClaim = findBadClaim(claims) ?? (isLenient ? findBadTime(claims) : undefined)
  if (badClaim) return { malformed: badClaim }

  const signature = readPart(signatureText)
  // Its last character has bits to spare: in any spelling but one a token would have copies that no revocation knows.
  const isCanonical = isLenient || signature?.toString('base64url') === signatureText
  if (!signature || !isCanonical) return { malformed: 'signature-not-base64url' }
  return {
    header: header as ParsedJwt['header'], // alg and kid were checked above
    claims,
    signingInput: `${headerText}.${claimsText}`,
    signature,
  }
}

const base64url = /^[A-Za-z0-9_-]*$/

/** A single character over is no byte (RFC 4648 §4). */
const readStrict: ReadPart = (text) =>
  base64url.test(text) && text.length % 4 !== 1 ? Buffer.from(text, 'base64url') : undefined

/** As absl's `WebSafeBase64Unescape`: blanks anywhere, and all of its padding or none. */
const readLenient: ReadPart = (text) => {
  const bare = text.replace(/\s/g, '')
  const unpadded = bare.replace(/=+$/, '')
  const padding = bare.length - unpadded.length
  return padding === 0 || bare.length % 4 === 0 ? readStrict(unpadded) : undefined
}

function findBadClaim(claims: JsonObject): JwtMalformation | undefined {
  for (const claim of ['iss', 'sub']) {
    if (claims[claim] !== undefined && typeof claims[claim] !== 'string') return { claim, wanted: 'string' }
  }
  for (const claim of ['iat', 'nbf', 'exp']) {
    if (claims[claim] !== undefined && typeof claims[claim] !== 'number') return { claim, wanted: 'number' }
  }
  if (claims['jti'] !== undefined && typeof claims['jti'] !== 'string') return { claim: 'jti', wanted: 'string' }
  const aud = claims['aud']
  const isAudience =
    aud === undefined || typeof aud === 'string' || (Array.isArray(aud) && aud.every((one) => typeof one === 'string'))
  return isAudience ? undefined : { claim: 'aud', wanted: 'string-or-list' }
}

/** Envoy keeps times as unsigned integers of 64 bits. */
function findBadTime(claims: JsonObject): JwtMalformation | undefined {
  const isBad = (name: string) => Number(claims[name] ?? 0) < 0 || Number(claims[name] ?? 0) >= 2 ** 64
  const claim = ['iat', 'nbf', 'exp'].find(isBad)
  return claim === undefined ? undefined : { claim, wanted: 'positive' }
}

function parseObject(bytes: Buffer): JsonObject | undefined {
  try {
    const value: unknown = JSON.parse(bytes.toString('utf8'))
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as JsonObject) : undefined
  } catch {
    return undefined
  }
}

/** The audiences of a claims set: `aud` is one text or a list (RFC 7519 §4.1.3). */
export function audiencesOf(claims: JsonObject): readonly string[] {
  const aud = claims['aud']
  if (typeof aud === 'string') return [aud]
  return Array.isArray(aud) ? aud.filter((one) => typeof one === 'string') : []
}
