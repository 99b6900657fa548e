import { publicKeyAlgorithms } from '../../tokens/algorithms.ts'
import type { JsonObject } from '../../tokens/jwt.ts'
import type { RemoteKeySet } from '../../tokens/remote-key-set.ts'
import { checkClaims, checkSignature, type TokenRefusal } from '../../tokens/verify.ts'
import type { ProviderOptions } from '../alpha/provider-options.ts'
import type { ProxyConfig } from '../typed-config.ts'

/** What an ID token, or a bearer token in its place, must satisfy. */
export interface IdTokenRules {
  /** `undefined` leaves the issuer unverified. */
  readonly issuer: string | undefined
  /** The first of these claims a token has is its audience. */
  readonly audienceClaims: readonly string[]
  readonly audiences: readonly string[]
  readonly algorithms: readonly string[]
}

/** Leeway for `nbf`; `exp` has none (coreos/go-oidc verify.go). */
const nbfLeewaySeconds = 300

/** The rules for tokens of a provider. The original knows only RS256 unless discovery or the configuration says more. */
export function idTokenRules({ clientID, oidcConfig }: ProviderOptions): IdTokenRules {
  const { audienceClaims, enabledSigningAlgs } = oidcConfig
  return {
    issuer: oidcConfig.insecureSkipIssuerVerification ? undefined : oidcConfig.issuerURL,
    audienceClaims: audienceClaims.length > 0 ? audienceClaims : ['aud'],
    audiences: [clientID, ...oidcConfig.extraAudiences],
    algorithms: enabledSigningAlgs.length > 0 ? enabledSigningAlgs : publicKeyAlgorithms,
  }
}

/** The rules for tokens of one of `extra_jwt_issuers`; claims and algorithms are those of the provider. */
export function extraIssuerRules(
  config: ProxyConfig,
  { issuer, audience }: { issuer: string; audience: string },
): IdTokenRules {
  const { oidc_audience_claims: audienceClaims, oidc_enabled_signing_algs: algorithms } = config
  return {
    issuer,
    audienceClaims: audienceClaims.length > 0 ? audienceClaims : ['aud'],
    audiences: [audience, ...config.oidc_extra_audiences],
    algorithms: algorithms.length > 0 ? algorithms : publicKeyAlgorithms,
  }
}

/** Verifies issuer, times, audience and signature; the reason says which of them failed. */
export async function verifyIdToken(
  token: string,
  { rules, keySet, nowSeconds }: { rules: IdTokenRules; keySet: RemoteKeySet; nowSeconds: number },
): Promise<{ ok: true; claims: JsonObject } | { ok: false; reason: TokenRefusal['reason'] }> {
  const { issuer, algorithms } = rules
  const checked = checkClaims(token, {
    ...(issuer === undefined ? {} : { issuer }),
    nowSeconds,
    skewSeconds: nbfLeewaySeconds,
    algorithms,
  })
  if (!checked.ok) return { ok: false, reason: checked.reason }
  const { claims } = checked.jwt
  if (typeof claims['exp'] !== 'number' || nowSeconds >= claims['exp']) return { ok: false, reason: 'expired' }
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
