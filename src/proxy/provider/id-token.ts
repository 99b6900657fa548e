import type { JsonObject } from '../../tokens/jwt.ts'
import type { RemoteKeySet } from '../../tokens/remote-key-set.ts'
import { checkClaims, checkSignature } from '../../tokens/verify.ts'
import type { ProxyConfig } from '../config.ts'

/** What an ID token, or a bearer token in its place, must satisfy. */
export interface IdTokenRules {
  /** `undefined` leaves the issuer unverified. */
  readonly issuer: string | undefined
  /** The first of these claims a token has is its audience. */
  readonly audienceClaims: readonly string[]
  readonly audiences: readonly string[]
  readonly algorithms: readonly string[]
}

/** Algorithms with a public key. The original knows only RS256 unless discovery or the configuration says more. */
const publicKeyAlgorithms: readonly string[] = [
  ...['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512'],
  ...['ES256', 'ES384', 'ES512', 'EdDSA'],
]

/** Leeway for `nbf`; `exp` has none (coreos/go-oidc verify.go). */
const nbfLeewaySeconds = 300

/** The rules for tokens of the configured provider. */
export function idTokenRules(config: ProxyConfig): IdTokenRules {
  const { oidc_audience_claims: claims, oidc_enabled_signing_algs: algorithms } = config
  return {
    issuer: config.insecure_oidc_skip_issuer_verification ? undefined : config.oidc_issuer_url,
    audienceClaims: claims.length > 0 ? claims : ['aud'],
    audiences: [config.client_id, ...config.oidc_extra_audiences],
    algorithms: algorithms.length > 0 ? algorithms : publicKeyAlgorithms,
  }
}

/** Verifies issuer, times, audience and signature; the reason says which of them failed. */
export async function verifyIdToken(
  token: string,
  { rules, keySet, nowSeconds }: { rules: IdTokenRules; keySet: RemoteKeySet; nowSeconds: number },
): Promise<{ ok: true; claims: JsonObject } | { ok: false; reason: string }> {
  const { issuer, algorithms } = rules
  const checked = checkClaims(token, {
    ...(issuer === undefined ? {} : { issuer }),
    nowSeconds,
    skewSeconds: nbfLeewaySeconds,
    algorithms,
  })
  if (!checked.ok) return { ok: false, reason: checked.reason }
  const { claims } = checked.jwt
  if (typeof claims['exp'] !== 'number' || nowSeconds > claims['exp']) return { ok: false, reason: 'expired' }
  if (!isForUs(claims, rules)) return { ok: false, reason: 'audience-mismatch' }
  const keys = await keySet.keysFor(checked.jwt)
  if (!keys) return { ok: false, reason: 'no-keys' }
  const verified = checkSignature(checked.jwt, keys)
  return verified.ok ? { ok: true, claims } : { ok: false, reason: verified.reason }
}

function isForUs(claims: JsonObject, { audienceClaims, audiences }: IdTokenRules): boolean {
  const claim = audienceClaims.find((name) => claims[name] !== undefined)
  const value = claim === undefined ? undefined : claims[claim]
  const given: readonly unknown[] = Array.isArray(value) ? value : [value]
  return given.some((one) => typeof one === 'string' && audiences.includes(one))
}
