import { readForm } from '../../http/forms.ts'
import { OAuthError } from '../../oauth/errors.ts'
import { audiencesOf, type JsonObject } from '../../tokens/jwt.ts'
import type { Claims } from '../mappers/mapper.ts'
import type { Client } from '../model.ts'
import type { Realm } from '../realm.ts'
import { authenticateClient } from '../tokens/client-authentication.ts'
import { mapClaims, orderClaims } from '../tokens/map-claims.ts'
import { grantScope } from '../tokens/scope.ts'
import { loadTokenHolder, type TokenHolder, verifyAccessToken, verifyOwnToken } from '../tokens/verify-token.ts'
import type { Call } from './endpoint.ts'

/**
 * `protocol/openid-connect/token/introspect` (RFC 7662): for confidential clients that the token is meant for. What the
 * mappers add is worked out now, so that a refresh token tells as much as an access token.
 */
export async function introspect({ request }: Call, realm: Realm): Promise<Response> {
  const form = await readForm(request)
  const caller = authenticateClient(realm, request, form)
  if (caller.publicClient) throw new OAuthError('invalid_request', 'Client not allowed.', { status: 403 })
  const token = form.get('token')
  if (token === null) throw new OAuthError('invalid_request', 'Token not provided.')
  const claims = await readFor(caller, realm, token)
  const holder = claims && (await loadTokenHolder(realm, claims))
  const isActive = claims !== undefined && holder !== undefined && typeof holder !== 'string'
  const body = isActive ? describe(realm, claims, holder) : { active: false }
  return Response.json(body, { headers: { 'cache-control': 'no-cache' } })
}

/** An access token that names the caller in `aud`, or a refresh token of the caller's own. */
async function readFor(caller: Client, realm: Realm, token: string): Promise<JsonObject | undefined> {
  const access = await verifyAccessToken(realm, token)
  if (access) return audiencesOf(access).includes(caller.clientId) ? access : undefined
  const refresh = verifyOwnToken(realm, token, ['Refresh', 'Offline'])
  return refresh.kind === 'ok' && refresh.claims['azp'] === caller.clientId ? refresh.claims : undefined
}

function describe(realm: Realm, claims: JsonObject, holder: TokenHolder): Claims {
  const { exp, iat, auth_time, jti, iss, aud, sub, typ, azp, sid, scope } = claims
  const mapped: Claims = { exp, iat, auth_time, jti, iss, sub: sub ?? holder.user.id, typ, azp, sid, scope }
  const { names } = grantScope(holder.client, String(scope))
  mapClaims(mapped, 'introspection', { ...holder, model: realm.model, scopeNames: names, notes: {}, nonce: undefined })
  const audiences = [...new Set([...audiencesOf(mapped), ...audiencesOf({ aud })])]
  const merged = audiences.length > 1 ? audiences : audiences[0]
  return {
    ...orderClaims({ ...mapped, aud: merged }),
    client_id: holder.client.clientId,
    username: holder.user.username,
    token_type: typ,
    active: true,
  }
}
