import { epochSeconds } from '../../kit/clock.ts'
import { OAuthError, oauthErrorResponse } from '../../oauth/errors.ts'
import { verifyJwt } from '../../tokens/verify.ts'
import type { Broker } from '../broker.ts'

/**
 * `/userinfo` (dex server/handlers.go `handleUserInfo`): the claims of the presented token, which may be an ID token.
 * A token of a session that has ended is refused.
 */
export async function handleUserInfo(broker: Broker, request: Request): Promise<Response> {
  const token = /^bearer (.*)$/i.exec(request.headers.get('authorization') ?? '')?.[1]
  if (token === undefined) {
    const error = new OAuthError('access_denied', 'Invalid bearer token.', { status: 401 })
    return oauthErrorResponse(error, { 'www-authenticate': 'Bearer' })
  }
  const verified = verifyJwt(token, await broker.keys.verificationKeys(), {
    issuer: broker.issuer.url,
    nowSeconds: epochSeconds(broker.clock),
    skewSeconds: 0,
  })
  if (!verified.ok) return refuse(`the token is not valid: ${verified.reason}`)
  const { sid } = verified.claims
  if (typeof sid === 'string' && (await broker.sessions?.hasEnded(sid))) return refuse('the session has ended')
  return Response.json(verified.claims, { headers: { 'cache-control': 'no-store' } })
}

function refuse(description: string): Response {
  return oauthErrorResponse(new OAuthError('access_denied', description, { status: 403 }))
}
