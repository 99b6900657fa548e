import { readFileSync } from 'node:fs'
import type { GatewayConfig } from '../gateway/config.ts'
import { isAccountForUs, jwtRulesOf, textClaim } from '../insight/explain/identity.ts'
import { sessionOf } from '../insight/explain/proxy-reasons.ts'
import type { Situation } from '../insight/explain/situation.ts'
import type { Clock } from '../kit/clock.ts'
import type { Random } from '../kit/random.ts'
import type { ProxyConfig } from '../proxy/config.ts'
import { cookieKey } from '../proxy/sessions/cookie-secret.ts'
import { openSessionCodec } from '../proxy/sessions/session-codec.ts'
import { type JsonObject, parseJwt } from '../tokens/jwt.ts'
import type { ExplainIssuer } from './explain-issuer.ts'

/** What a request's identity adds to it, and the configuration that believes it. */
export interface Credentials {
  readonly headers: readonly (readonly [name: string, value: string])[]
  /** The configuration; rules with keys of their own may have ours beside them. */
  readonly gateway: GatewayConfig
  readonly session: { readonly idToken: string; readonly email: string } | undefined
}

interface Dependencies {
  readonly issuer: ExplainIssuer
  /** Whether issuers themselves can be asked for their keys. */
  readonly isLive: boolean
  readonly clock: Clock
  readonly random: Random
}

/** Makes an identity real: a session cookie as the proxy seals them, or a token. */
export async function openCredentials(situation: Situation, dependencies: Dependencies): Promise<Credentials> {
  const { gateway, proxy, request } = situation
  const { identity } = request
  if (!identity) return { headers: [], gateway, session: undefined }
  const { issuer, isLive } = dependencies
  if (identity.kind === 'token') {
    const claims = resignable(identity.token, { gateway, proxy, isLive })
    const token = claims ? await issuer.sign(claims) : identity.token
    return { headers: [['Authorization', `Bearer ${token}`]], gateway, session: undefined }
  }
  const token = await issuer.sign(identity.claims)
  const believing = believingOurs(gateway, issuer)
  if (identity.kind === 'claims') {
    return { headers: [['Authorization', `Bearer ${token}`]], gateway: believing, session: undefined }
  }
  const session = { idToken: token, email: textClaim(identity.claims, 'email') ?? '' }
  const cookie = proxy && sealedCookie(identity.claims, { token, proxy, ...dependencies })
  return { headers: cookie === undefined ? [] : [['Cookie', cookie]], gateway: believing, session }
}

const signable = /^(?:(?:RS|PS|ES)(?:256|384|512)|EdDSA)$/

/**
 * The claims of a token whose signature cannot be checked here; a rule with keys of its own checks it as it stands, and
 * where issuers can be asked all do. The API server is never asked.
 */
function resignable(
  token: string,
  { gateway, proxy, isLive }: { gateway: GatewayConfig; proxy: ProxyConfig | undefined; isLive: boolean },
): JsonObject | undefined {
  const parsed = parseJwt(token)
  if (!('claims' in parsed) || !signable.test(parsed.header.alg)) return undefined
  if (isLive) return isAccountForUs(parsed.claims, proxy) ? parsed.claims : undefined
  const { iss } = parsed.claims
  const isChecked = jwtRulesOf(gateway).some(({ issuer, jwks }) => issuer === iss && jwks !== undefined)
  return isChecked ? undefined : parsed.claims
}

/** Rules with keys of their own would refuse what we sign. */
function believingOurs(gateway: GatewayConfig, { keySet }: ExplainIssuer): GatewayConfig {
  return {
    ...gateway,
    requestAuthentications: gateway.requestAuthentications.map((one) => ({
      ...one,
      jwtRules: one.jwtRules.map((rule) => ({ ...rule, jwks: keySet, jwksUri: undefined })),
    })),
  }
}

function sealedCookie(
  claims: JsonObject,
  { token, proxy, clock, random }: { token: string; proxy: ProxyConfig; clock: Clock; random: Random },
): string | undefined {
  const secret = proxy.cookie_secret || readFileSync(proxy.cookie_secret_file, 'utf8')
  const key = cookieKey(secret)
  if (!key) return undefined
  const name = proxy.cookie_name
  const codec = openSessionCodec({ name, keys: { secret, key }, lifetimeSeconds: 0, clock, random })
  const now = clock.now()
  const sealed = codec.seal({
    ...sessionOf(claims),
    createdAt: now,
    expiresAt: now + 3_600_000,
    idToken: token,
    accessToken: token,
  })
  return `${name}=${sealed}`
}
