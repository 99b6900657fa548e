import type { Fetch } from '../../http/part.ts'
import type { Clock } from '../../kit/clock.ts'
import { GatehouseError } from '../../kit/errors.ts'
import type { EndedSessions, SessionNames } from '../../oidc/ended-sessions.ts'
import { audiencesOf, type JsonObject, parseJwt } from '../../tokens/jwt.ts'
import type { CheckRequest, SessionLookup } from '../check.ts'
import type { AccountTokens } from '../kubernetes/account-tokens.ts'
import type { Provider } from '../provider/provider.ts'
import type { Session } from '../session.ts'
import { namesOfIdToken } from '../sessions/session-names.ts'
import type { Sessions } from '../sessions/sessions.ts'
import type { ProxyConfig } from '../typed-config.ts'
import type { AuthserviceSettings } from './settings.ts'
import type { Userinfo } from './userinfo.ts'

/** What the authenticators are made from. */
export interface AuthenticatorSources {
  readonly settings: AuthserviceSettings
  readonly config: ProxyConfig
  readonly provider: Pick<Provider, 'sessionOfBearer' | 'userinfoUrl'>
  readonly sessions: Sessions
  readonly ended: EndedSessions
  /** Absent where no cluster is asked. */
  readonly accountTokens: AccountTokens | undefined
  readonly userinfo: Userinfo
  readonly fetch: Fetch
  readonly clock: Clock
}

/** What the proxy knows already. */
export interface OtherWays {
  /** The session of the cookie. */
  cookie(): Promise<SessionLookup>
  /** Remembers a token that came in `Authorization`, so that the next request with it asks nobody. */
  accept(session: Session, names: SessionNames): SessionLookup
}

/**
 * What one authenticator makes of a token: `next` leaves it to the others, `stop` is for one that is clearly meant for
 * this authenticator and is bad.
 */
type Verdict =
  | { readonly kind: 'next' | 'stop' }
  | { readonly kind: 'session'; readonly session: Session; readonly names: SessionNames | undefined }

type Authenticator = (token: string) => Promise<Verdict>

const next: Verdict = { kind: 'next' }
const stop: Verdict = { kind: 'stop' }

/**
 * The original's order (authenticators/*.go): service accounts, opaque tokens, access tokens that are JWTs, sessions (of
 * a header, then of the cookie), ID tokens. A token that is stopped at is answered 401, whatever else the request has.
 */
export function openAuthenticators(
  sources: AuthenticatorSources,
): (request: CheckRequest, ways: OtherWays) => Promise<SessionLookup> {
  const { settings, config, sessions } = sources
  const { authenticators } = settings
  const { bearerHeader, idTokenHeader } = authenticators
  const ofBearers: Authenticator[] = [
    ...(sources.accountTokens ? [accountTokensOf(sources.accountTokens)] : []),
    ...(authenticators.accessToken === 'opaque' ? [opaqueTokens(sources)] : []),
    ...(authenticators.accessToken === 'jwt' ? [accessTokens(sources)] : []),
  ]
  const idTokens = authenticators.idToken ? [idTokensOf(sources)] : []

  async function ask(list: readonly Authenticator[], header: string, { headers }: CheckRequest, ways: OtherWays) {
    const token = bearerIn(headers[header], header)
    if (token === undefined) return undefined
    for (const authenticator of list) {
      const verdict = await authenticator(token)
      if (verdict.kind === 'stop') return { kind: 'dead-token' } as const
      if (verdict.kind !== 'session') continue
      const { session, names } = verdict
      const known = { ...session, authMethod: 'header' } as const
      if (names && (await sources.ended.hasEnded(names))) return { kind: 'dead-token' } as const
      if (names && header === 'authorization') return ways.accept(known, names)
      return { kind: 'session', session: known, ...(names ? { names } : {}) } as const
    }
    return undefined
  }

  /** Of a header a script put a copy of the cookie into; `X-Auth-Token` is what the first generation read. */
  async function ofHeader({ headers }: CheckRequest): Promise<SessionLookup | undefined> {
    for (const text of [bearerIn(headers[bearerHeader], bearerHeader), headers['x-auth-token']]) {
      if (text === undefined || !isCookieText(text)) continue
      const found = await sessions.find(`${config.cookie_name}=${text}`)
      if (found) return { kind: 'session', session: { ...found.session, authMethod: 'header' }, names: found.names }
    }
    return undefined
  }

  return async (request, ways) => {
    const byToken = (await ask(ofBearers, bearerHeader, request, ways)) ?? (await ofHeader(request))
    if (byToken) return byToken
    const byCookie = await ways.cookie()
    if (byCookie.kind !== 'none') return byCookie
    return (await ask(idTokens, idTokenHeader, request, ways)) ?? byCookie
  }
}

/** `Bearer …`; another header than `Authorization` may hold the bare token. */
function bearerIn(value: string | undefined, header: string): string | undefined {
  const [, token] = /^bearer +(\S+)$/i.exec(value?.trim() ?? '') ?? []
  if (token !== undefined || header === 'authorization' || value === undefined) return token
  return /^\S+$/.test(value) ? value : undefined
}

function isCookieText(text: string): boolean {
  return /^[!#-+\--:<-[\]-~]{16,8192}$/.test(text) // RFC 6265 §4.1.1
}

/** Tokens of service accounts. One of this cluster, for an audience of ours, that the API server refuses is over. */
function accountTokensOf({ verify }: AccountTokens): Authenticator {
  return async (token) => {
    const outcome = await verify(token)
    if ('session' in outcome) return { ...outcome, kind: 'session', names: namesOfIdToken(token) }
    return ['not-a-service-account', 'audience-mismatch'].includes(outcome.refused) ? next : stop
  }
}

/** Tokens the userinfo endpoint takes; the user and the groups must be in what it tells. */
function opaqueTokens({ userinfo, config, clock }: AuthenticatorSources): Authenticator {
  const { oidc_email_claim: userClaim, oidc_groups_claim: groupsClaim } = config
  return async (token) => {
    const claims = await userinfo.claimsFor(token)
    if (!claims) return next
    const [user, groups] = [claims[userClaim], claims[groupsClaim]]
    if (typeof user !== 'string' || !isTexts(groups)) return stop
    const { sub } = claims
    const session = { createdAt: clock.now(), email: user, user: typeof sub === 'string' ? sub : user, groups }
    return { kind: 'session', session, names: namesOfIdToken(token) }
  }
}

/** Access tokens that are JWTs of the provider for one of `AUDIENCES`. Such a one has to have groups. */
function accessTokens({ settings, config, provider }: AuthenticatorSources): Authenticator {
  const { audiences } = settings.authenticators
  return async (token) => {
    const claims = claimsOf(token)
    if (claims?.['iss'] !== config.oidc_issuer_url) return next
    if (!audiencesOf(claims).some((one) => audiences.includes(one))) return next
    const hasClaims = claims[config.oidc_email_claim] !== undefined && isTexts(claims[config.oidc_groups_claim])
    return hasClaims ? verdictOf(await vouched(provider, token), token, stop) : stop
  }
}

/** ID tokens of the provider for this client. One that is bad leads to a login, as no token does. */
function idTokensOf({ config, provider }: AuthenticatorSources): Authenticator {
  return async (token) => {
    const claims = claimsOf(token)
    if (!claims || !audiencesOf(claims).includes(config.client_id)) return next
    return verdictOf(await vouched(provider, token), token, next)
  }
}

function verdictOf(outcome: Awaited<ReturnType<Provider['sessionOfBearer']>>, token: string, otherwise: Verdict) {
  return 'session' in outcome ? ({ ...outcome, kind: 'session', names: namesOfIdToken(token) } as const) : otherwise
}

/** @throws GatehouseError `provider_unavailable` where its keys cannot be had: nobody knows what the token is. */
async function vouched(provider: Pick<Provider, 'sessionOfBearer'>, token: string) {
  const outcome = await provider.sessionOfBearer(token).catch((cause: unknown) => {
    if (cause instanceof GatehouseError && cause.code !== 'provider_unavailable') return { refused: cause.code }
    throw cause
  })
  if ('session' in outcome || outcome.refused !== 'no-keys') return outcome
  throw new GatehouseError('provider_unavailable', 'the keys of the sign-in provider cannot be had')
}

function claimsOf(token: string): JsonObject | undefined {
  const jwt = parseJwt(token)
  return 'malformed' in jwt ? undefined : jwt.claims
}

function isTexts(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((one) => typeof one === 'string')
}
