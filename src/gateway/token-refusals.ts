import type { JwtMalformation } from '../tokens/jwt.ts'
import type { TokenRefusal } from '../tokens/verify.ts'
import type { GatewayMode } from './gateway-mode.ts'

/** Why a token was not accepted, in Envoy's words (source/common/jwt/status.cc). */
export interface Refusal {
  readonly status: 401 | 403 | 503
  readonly text: string
}

/**
 * Any reason `tokens` knows, and those it cannot: keys not to be had, a session that has ended or may have, a service
 * account that is gone, may not enter, or cannot be asked about.
 */
export type RefusalReason =
  | TokenRefusal
  | { readonly reason: 'keys-unavailable' | 'session-ended' | 'sessions-unavailable' }
  | { readonly reason: 'account-gone' | 'account-barred' | 'accounts-unavailable' }

const texts: Readonly<Record<Exclude<RefusalReason['reason'], 'malformed'>, string>> = {
  'alg-not-supported': 'Jwt header [alg] is not supported',
  'issuer-mismatch': 'Jwt issuer is not configured',
  expired: 'Jwt is expired',
  'not-yet-valid': 'Jwt not yet valid',
  'audience-mismatch': 'Audiences in Jwt are not allowed',
  'no-keys': "Jwks doesn't have any valid public key",
  'no-matching-key': "Jwks doesn't have key to match kid or alg from Jwt",
  'bad-signature': 'Jwt verification fails',
  'keys-unavailable': 'Jwks remote fetch is failed',
  // Ours: Envoy knows of no sessions.
  'session-ended': "token's session has ended",
  'sessions-unavailable': 'whether the session has ended cannot be found out now',
  'account-gone': 'the cluster does not know this service account token any more',
  'account-barred': 'this service account may not enter',
  'accounts-unavailable': 'whether the cluster knows this service account token cannot be found out now',
}

const malformations: Readonly<Record<Extract<JwtMalformation, string>, string>> = {
  'not-three-parts': 'Jwt is not in the form of Header.Payload.Signature with two dots and 3 sections',
  'header-not-base64url': 'Jwt header is an invalid Base64url encoded',
  'header-not-json': 'Jwt header is an invalid JSON',
  'header-alg-missing': 'Jwt header [alg] field is required and must be a string',
  'header-alg-unknown': 'Jwt header [alg] is not supported',
  'header-kid-not-string': 'Jwt header [kid] field is not a string',
  'payload-not-base64url': 'Jwt payload is an invalid Base64url encoded',
  'payload-not-json': 'Jwt payload is an invalid JSON',
  'signature-not-base64url': 'Jwt signature is an invalid Base64url encoded',
}

/** The answer Envoy gives. istiod hands Envoy a made-up key when it cannot fetch any, so there the signature fails. */
export function refusalOf(why: RefusalReason, mode: GatewayMode): Refusal {
  if (why.reason === 'malformed') return { status: 401, text: malformationText(why.malformed) }
  if (why.reason === 'keys-unavailable' && mode === 'istio') return { status: 401, text: texts['bad-signature'] }
  return { status: statuses[why.reason] ?? 401, text: texts[why.reason] }
}

const statuses: Readonly<Partial<Record<RefusalReason['reason'], 403 | 503>>> = {
  'audience-mismatch': 403,
  'account-barred': 403,
  'sessions-unavailable': 503,
  'accounts-unavailable': 503,
}

function malformationText(malformed: JwtMalformation): string {
  if (typeof malformed === 'string') return malformations[malformed]
  const wanted = {
    string: 'a string',
    number: 'an integer',
    positive: 'a positive 64 bit integer',
    'string-or-list': 'a string or string list',
  }
  return `Jwt payload [${malformed.claim}] field is not ${wanted[malformed.wanted]}`
}
