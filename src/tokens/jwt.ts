/**
 * Room `tokens`: JSON Web Tokens and their keys (sign, verify, key rings with rotation, remote key sets). It knows RFC
 * 7515–7519, not who signs in.
 */

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
  | 'header-kid-not-string'
  | 'payload-not-base64url'
  | 'payload-not-json'
  | 'signature-not-base64url'
  | { readonly claim: string; readonly wanted: 'string' | 'number' | 'string-or-list' }

const base64url = /^[A-Za-z0-9_-]*$/

/** Takes a compact JWS apart; checks form and the types of the registered claims, in Envoy's order, not signature or time. */
export function parseJwt(token: string): ParsedJwt | { readonly malformed: JwtMalformation } {
  const first = token.indexOf('.')
  const last = token.lastIndexOf('.')
  if (first < 0 || first === last || token.indexOf('.', first + 1) !== last) return { malformed: 'not-three-parts' }
  const headerText = token.slice(0, first)
  const claimsText = token.slice(first + 1, last)
  const signatureText = token.slice(last + 1)

  if (!base64url.test(headerText)) return { malformed: 'header-not-base64url' }
  const header = parseObject(headerText)
  if (!header) return { malformed: 'header-not-json' }
  if (typeof header['alg'] !== 'string') return { malformed: 'header-alg-missing' }
  if (header['kid'] !== undefined && typeof header['kid'] !== 'string') return { malformed: 'header-kid-not-string' }

  if (!base64url.test(claimsText)) return { malformed: 'payload-not-base64url' }
  const claims = parseObject(claimsText)
  if (!claims) return { malformed: 'payload-not-json' }
  const badClaim = findBadClaim(claims)
  if (badClaim) return { malformed: badClaim }

  const signature = Buffer.from(signatureText, 'base64url')
  // Its last character has bits to spare: in any spelling but one a token would have copies that no revocation knows.
  if (signature.toString('base64url') !== signatureText) return { malformed: 'signature-not-base64url' }
  return {
    header: header as ParsedJwt['header'], // alg and kid were checked above
    claims,
    signingInput: token.slice(0, last),
    signature,
  }
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

function parseObject(text: string): JsonObject | undefined {
  try {
    const value: unknown = JSON.parse(Buffer.from(text, 'base64url').toString('utf8'))
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
