import { epochSeconds } from '../../kit/clock.ts'
import { randomUuid } from '../../kit/random.ts'
import { halfHash } from '../../oidc/half-hash.ts'
import { signJwt } from '../../tokens/sign.ts'
import type { Claims } from '../mappers/mapper.ts'
import type { Client } from '../model.ts'
import type { Realm } from '../realm.ts'
import type { Session } from '../session.ts'
import type { User } from '../user.ts'
import { mapClaims, orderClaims } from './map-claims.ts'
import { type GrantedScope, visibleScope, wholeScope } from './scope.ts'

/** How tokens came to be issued: the letters Keycloak marks them with (TokenContextEncoderProvider). */
export type GrantMark = 'ac' | 'ro' | 'rt' | 'cc'

/** What tokens are issued for. */
export interface TokenGrant {
  readonly mark: GrantMark
  readonly client: Client
  readonly user: User
  readonly scope: GrantedScope
  /** The scope the refresh token keeps; the granted one unless the client has narrowed that. */
  readonly refreshScope?: GrantedScope
  /** Absent for a client acting for itself. */
  readonly session?: Session
  readonly acr?: string | undefined
  readonly nonce?: string | undefined
  readonly notes?: Readonly<Record<string, unknown>>
}

/** The token endpoint's answer, in Keycloak's order (AccessTokenResponse). */
export interface TokenResponse {
  readonly access_token: string
  readonly expires_in: number
  readonly refresh_expires_in: number
  readonly refresh_token?: string
  readonly token_type: 'Bearer'
  readonly id_token?: string
  readonly 'not-before-policy': number
  readonly session_state?: string
  readonly scope: string
}

/** Signs the access token and, as the grant allows, the refresh and ID tokens. */
export async function issueTokens(realm: Realm, grant: TokenGrant): Promise<TokenResponse> {
  const now = epochSeconds(realm.clock)
  const { session, scope } = grant
  const accessExpiry = now + accessLifespan(realm, grant)
  const accessClaims = makeAccessClaims(realm, grant, { now, exp: accessExpiry })
  const key = await realm.keys.current()
  const access_token = await signJwt(accessClaims, key, { typ: 'JWT' })
  const refresh = await issueRefreshToken(realm, grant, { now, audience: accessClaims['aud'] })
  const idClaims = scope.isOpenid && session ? makeIdClaims(realm, grant, { now, exp: accessExpiry }) : undefined
  const id_token =
    idClaims &&
    (await signJwt(orderClaims({ ...idClaims, at_hash: halfHash(access_token, key.alg) }), key, { typ: 'JWT' }))
  return {
    access_token,
    expires_in: accessExpiry - now,
    refresh_expires_in: refresh?.expiresIn ?? 0,
    ...(refresh ? { refresh_token: refresh.token } : {}),
    token_type: 'Bearer',
    ...(id_token === undefined ? {} : { id_token }),
    'not-before-policy': 0,
    ...(session ? { session_state: session.id } : {}),
    scope: visibleScope(scope, realm.model),
  }
}

interface Times {
  readonly now: number
  readonly exp: number
}

function makeAccessClaims(realm: Realm, grant: TokenGrant, { now, exp }: Times): Claims {
  const { client, session, scope } = grant
  const isLightweight = client.attributes['client.use.lightweight.access.token.enabled'] === 'true'
  const claims: Claims = {
    exp,
    iat: now,
    jti: `${tokenMark(grant, isLightweight)}:${randomUuid(realm.random)}`,
    iss: realm.issuer,
    typ: 'Bearer',
    azp: client.clientId,
    ...(session ? { sid: session.id } : {}),
    scope: visibleScope(scope, realm.model),
  }
  mapClaims(claims, isLightweight ? 'lightweight' : 'access', subjectOf(realm, grant))
  return orderClaims(claims)
}

function makeIdClaims(realm: Realm, grant: TokenGrant, { now, exp }: Times): Claims {
  const { client, user, session, nonce } = grant
  const claims: Claims = {
    exp,
    iat: now,
    jti: randomUuid(realm.random),
    iss: realm.issuer,
    aud: client.clientId,
    sub: user.id,
    typ: 'ID',
    azp: client.clientId,
    ...(nonce === undefined ? {} : { nonce }),
    ...(session ? { sid: session.id } : {}),
  }
  mapClaims(claims, 'id', subjectOf(realm, grant))
  return claims
}

/** The session's and the user's side of a grant, as mappers see it. */
function subjectOf({ model }: Realm, { client, user, scope, session, acr, nonce, notes }: TokenGrant) {
  const authTime =
    session?.authenticatedAt === undefined ? {} : { AUTH_TIME: Math.floor(session.authenticatedAt / 1000) }
  return { model, client, user, scopeNames: scope.names, notes: { ...authTime, ...notes }, acr, nonce }
}

/** `onrtac`: online, regular, authorization code. */
function tokenMark({ mark, session }: TokenGrant, isLightweight: boolean): string {
  const kind = session === undefined ? 'tr' : session.offline ? 'of' : 'on'
  return `${kind}${isLightweight ? 'lt' : 'rt'}${mark}`
}

/** Seconds. A token does not outlive its session (TokenManager.getTokenExpiration). */
function accessLifespan(realm: Realm, { client, session }: TokenGrant): number {
  const configured = Number(client.attributes['access.token.lifespan'] ?? '')
  const lifespan = configured > 0 ? configured : realm.model.settings.accessTokenLifespan
  return Math.max(0, Math.min(lifespan, secondsUntil(realm, session?.endsAt ?? Number.POSITIVE_INFINITY)))
}

async function issueRefreshToken(
  realm: Realm,
  grant: TokenGrant,
  { now, audience }: { now: number; audience: unknown },
): Promise<{ token: string; expiresIn: number } | undefined> {
  const { client, session, user } = grant
  if (!session || client.attributes['use.refresh.tokens'] === 'false') return undefined
  const lifespan = refreshLifespan(realm, client, session)
  const isLightweight = client.attributes['client.use.lightweight.access.token.enabled'] === 'true'
  const claims: Claims = {
    ...(lifespan === undefined ? {} : { exp: now + lifespan }),
    iat: now,
    jti: randomUuid(realm.random),
    iss: realm.issuer,
    aud: realm.issuer,
    ...(isLightweight ? {} : { sub: user.id }),
    typ: session.offline ? 'Offline' : 'Refresh',
    azp: client.clientId,
    sid: session.id,
    scope: wholeScope(grant.refreshScope ?? grant.scope),
    prov: 'default',
    ...(audience === undefined || isLightweight ? {} : { aud_x: audience }),
  }
  return { token: await signJwt(claims, realm.ownKey, { typ: 'JWT' }), expiresIn: lifespan ?? 0 }
}

/** Seconds; `undefined` for an offline token that nothing but idling ends. */
function refreshLifespan(realm: Realm, { attributes }: Client, session: Session): number | undefined {
  if (session.offline && session.endsAt === Number.POSITIVE_INFINITY) return undefined
  const { clientSessionIdleTimeout, clientSessionMaxLifespan } = realm.model.settings
  const limits = [
    Math.floor(session.idleMs / 1000),
    secondsUntil(realm, session.endsAt),
    Number(attributes['client.session.idle.timeout'] ?? 0) || clientSessionIdleTimeout,
    Number(attributes['client.session.max.lifespan'] ?? 0) || clientSessionMaxLifespan,
  ]
  return Math.max(0, Math.min(...limits.filter((limit, index) => index < 2 || limit > 0)))
}

function secondsUntil(realm: Realm, moment: number): number {
  return Math.floor((moment - realm.clock.now()) / 1000)
}
