import { readForm } from '../../http/forms.ts'
import { epochSeconds } from '../../kit/clock.ts'
import { OAuthError, oauthErrorResponse } from '../../oauth/errors.ts'
import { audiencesOf, type JsonObject } from '../../tokens/jwt.ts'
import { verifyJwt } from '../../tokens/verify.ts'
import type { Broker } from '../broker.ts'
import { packPair } from '../protobuf-pair.ts'
import type { RefreshFamily } from '../refresh-families.ts'

/**
 * `/token/introspect` (RFC 7662; dex server/introspectionhandler.go). As in Dex 2.45 it asks nobody who they are: it
 * tells the holder of a token no more than the token does. Tokens of an ended session are inactive.
 */
export async function handleIntrospection(broker: Broker, request: Request): Promise<Response> {
  if (request.method !== 'POST') return badRequest(`HTTP method is "${request.method}", expected "POST".`)
  const form = await readForm(request)
  if (form.size === 0) return badRequest('The POST body can not be empty.')
  const token = form.get('token')
  if (token === null) return badRequest("The POST body doesn't contain 'token' parameter.")
  const answer = (await introspectJwt(broker, token)) ?? (await introspectRefresh(broker, token)) ?? { active: false }
  return Response.json(answer, { headers: { 'cache-control': 'no-store' } })
}

async function introspectJwt(broker: Broker, token: string): Promise<JsonObject | undefined> {
  const verified = verifyJwt(token, await broker.keys.verificationKeys(), {
    issuer: broker.issuer.url,
    nowSeconds: epochSeconds(broker.clock),
    skewSeconds: 0,
  })
  if (!verified.ok) return undefined
  const { claims } = verified
  if (typeof claims['sid'] === 'string' && (await broker.sessions?.hasEnded(claims['sid']))) return undefined
  const audience = audiencesOf(claims)
  return {
    active: true,
    client_id: audience.length === 1 ? audience[0] : claims['azp'],
    sub: claims['sub'],
    exp: claims['exp'],
    iat: claims['iat'],
    nbf: claims['iat'],
    username: claims['preferred_username'],
    aud: claims['aud'],
    iss: claims['iss'],
    ext: extrasOf(claims),
    token_type: 'Bearer',
    token_use: 'access_token',
  }
}

async function introspectRefresh(broker: Broker, token: string): Promise<JsonObject | undefined> {
  const presented = await broker.families.look(token)
  if (presented.kind !== 'good') return undefined
  const { family } = presented
  if (family.sid !== undefined && (await broker.sessions?.hasEnded(family.sid))) return undefined
  const issuedAt = Math.floor(family.createdAt / 1000)
  return {
    active: true,
    client_id: family.clientId,
    sub: packPair(family.identity.userId, family.connectorId),
    exp: Math.floor((family.createdAt + broker.config.expiry.refreshTokens.absoluteLifetime) / 1000),
    iat: issuedAt,
    nbf: issuedAt,
    username: family.identity.preferredUsername || undefined,
    aud: family.clientId,
    iss: broker.issuer.url,
    ext: extrasOf(refreshClaims(family)),
    token_type: 'Bearer',
    token_use: 'refresh_token',
  }
}

function refreshClaims({ identity }: RefreshFamily): JsonObject {
  return {
    email: identity.email,
    email_verified: identity.emailVerified,
    groups: identity.groups,
    name: identity.username,
    preferred_username: identity.preferredUsername || undefined,
  }
}

/** Dex's `ext`: the claims that are not RFC 7662's own. */
function extrasOf(claims: JsonObject): JsonObject {
  const names = ['azp', 'email', 'email_verified', 'groups', 'name', 'preferred_username', 'federated_claims']
  return Object.fromEntries(names.filter((name) => claims[name] !== undefined).map((name) => [name, claims[name]]))
}

function badRequest(description: string): Response {
  return oauthErrorResponse(new OAuthError('invalid_request', description))
}
