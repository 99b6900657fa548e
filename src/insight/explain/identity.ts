import type { GatewayConfig } from '../../gateway/config.ts'
import { type JwtRule, mergeJwtRules } from '../../policy/request-authentication.ts'
import type { ProxyConfig } from '../../proxy/config.ts'
import { type JsonObject, parseJwt } from '../../tokens/jwt.ts'
import type { Identity } from './situation.ts'

/** The rules that verify tokens here, in the order they are tried. */
export function jwtRulesOf({ requestAuthentications, workload, meshConfig }: GatewayConfig): readonly JwtRule[] {
  return mergeJwtRules(requestAuthentications, workload, meshConfig.rootNamespace)
}

/** The rule of the first trusted issuer: the proxy's own where it is trusted, else the first. */
export function firstTrustedRule(gateway: GatewayConfig, proxy: ProxyConfig | undefined): JwtRule | undefined {
  const rules = jwtRulesOf(gateway)
  return rules.find(({ issuer }) => issuer === proxy?.oidc_issuer_url) ?? rules[0]
}

/** Claims of someone the first trusted issuer vouches for. */
export function claimsFor(
  { user, groups }: { readonly user: string; readonly groups: readonly string[] },
  { gateway, proxy, nowSeconds }: { gateway: GatewayConfig; proxy: ProxyConfig | undefined; nowSeconds: number },
): JsonObject {
  const rule = firstTrustedRule(gateway, proxy)
  const audience = rule?.audiences[0] ?? proxy?.client_id
  return {
    iss: rule?.issuer || proxy?.oidc_issuer_url || 'https://issuer.invalid',
    sub: user,
    ...(audience ? { aud: audience } : {}),
    iat: nowSeconds,
    exp: nowSeconds + 3600,
    email: user,
    email_verified: true,
    groups,
  }
}

/** How somebody comes in: with a session where a provider keeps one, else with a bearer token. */
export function identityOf(claims: JsonObject, gateway: GatewayConfig): Identity {
  const asksProvider = gateway.authorizationPolicies.some(({ action }) => action === 'CUSTOM')
  return { kind: asksProvider ? 'session' : 'claims', claims }
}

/** The claims an identity brings; `undefined` for a token nobody can read. */
export function claimsOf(identity: Identity | undefined): JsonObject | undefined {
  if (identity?.kind !== 'token') return identity?.claims
  const parsed = parseJwt(identity.token)
  return 'claims' in parsed ? parsed.claims : undefined
}

/** Whether a token says it is of a Kubernetes service account. */
export function isAccount({ sub }: JsonObject): boolean {
  return typeof sub === 'string' && /^system:serviceaccount:[^:]+:[^:]+$/.test(sub)
}

/** Whether it is one the proxy judges, natively: meant for one of its `kubernetes_token_audiences`. */
export function isAccountForUs(claims: JsonObject, proxy: ProxyConfig | undefined): boolean {
  const audiences = proxy?.kubernetes_token_audiences ?? []
  return isAccount(claims) && textsClaim(claims, 'aud').some((one) => audiences.includes(one))
}

/** A claim that is a text. */
export function textClaim(claims: JsonObject, name: string): string | undefined {
  const value = claims[name]
  return typeof value === 'string' ? value : undefined
}

/** The texts of a claim that is a list, or one text. */
export function textsClaim(claims: JsonObject, name: string): readonly string[] {
  return [claims[name]].flat().filter((value) => typeof value === 'string')
}
