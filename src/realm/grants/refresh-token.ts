import { OAuthError } from '../../oauth/errors.ts'
import { parseScopes } from '../../oauth/scopes.ts'
import type { Client } from '../model.ts'
import type { Realm } from '../realm.ts'
import { grantScope } from '../tokens/scope.ts'
import { loadTokenHolder, verifyOwnToken } from '../tokens/verify-token.ts'
import type { GrantRequest } from './grant.ts'

/** `refresh_token` (RefreshTokenGrantType): everything about the user is read anew, so that a change takes effect here. */
export async function refreshToken({ realm, client, form }: GrantRequest) {
  const token = form.get('refresh_token')
  if (token === null) throw new OAuthError('invalid_request', 'No refresh token')
  const claims = checkRefreshToken(realm, client, token)
  const holder = await loadTokenHolder(realm, claims)
  if (holder === 'session') throw new OAuthError('invalid_grant', 'Session not active')
  if (holder === 'user')
    throw new OAuthError('invalid_grant', 'User disabled', { detail: 'the user is disabled or gone' })
  if (holder === 'client' || !holder.session) throw new OAuthError('invalid_grant', 'Invalid refresh token')
  await checkReuse(realm, client, {
    jti: String(claims['jti']),
    sessionId: holder.session.id,
    endsAt: holder.session.endsAt,
  })
  const refreshScope = grantScope(client, String(claims['scope']))
  const scope = narrowScope(client, String(claims['scope']), form.get('scope'))
  const session = await realm.sessions.touch(holder.session)
  return { mark: 'rt' as const, client, user: holder.user, scope, refreshScope, session, acr: holder.acr }
}

/** The claims of a refresh token of this client. @throws OAuthError in Keycloak's words (TokenManager.verifyRefreshToken). */
export function checkRefreshToken(realm: Realm, client: Client, token: string) {
  const read = verifyOwnToken(realm, token, ['Refresh', 'Offline'])
  if (read.kind !== 'ok') {
    throw new OAuthError('invalid_grant', read.kind === 'expired' ? 'Token is not active' : 'Invalid refresh token')
  }
  if (read.claims['azp'] !== client.clientId) {
    const description = "Invalid refresh token. Token client and authorized client don't match"
    throw new OAuthError('invalid_grant', description)
  }
  return read.claims
}

/**
 * With `revokeRefreshToken` a refresh token works once, and `refreshTokenMaxReuse` times more; beyond that somebody else
 * has it, and everything the client got from the session dies (RFC 9700 §4.14.2). Counted in one atomic statement.
 */
async function checkReuse(
  realm: Realm,
  client: Client,
  { jti, sessionId, endsAt }: { jti: string; sessionId: string; endsAt: number },
): Promise<void> {
  const { revokeRefreshToken, refreshTokenMaxReuse } = realm.model.settings
  if (!revokeRefreshToken) return
  const expiresAt = Math.min(endsAt, Number.MAX_SAFE_INTEGER)
  if (await realm.usedRefreshTokens.create(jti, null, expiresAt)) return
  const used = await realm.usedRefreshTokens.use(jti)
  if (used && used.uses <= refreshTokenMaxReuse) return
  await realm.sessions.endForClient(sessionId, client.id)
  throw new OAuthError('invalid_grant', 'Maximum allowed refresh token reuse exceeded')
}

/** The client may ask for less than it has (RFC 6749 §6). @throws OAuthError `invalid_scope` when it asks for more. */
function narrowScope(client: Client, whole: string, asked: string | null) {
  if (asked === null) return grantScope(client, whole)
  const had = parseScopes(whole)
  if (!parseScopes(asked).every((scope) => had.includes(scope))) {
    throw new OAuthError('invalid_scope', `Invalid scopes: ${asked}`)
  }
  return grantScope(client, asked)
}
