import { readForm } from '../../http/forms.ts'
import { OAuthError } from '../../oauth/errors.ts'
import { audiencesOf, type JsonObject } from '../../tokens/jwt.ts'
import type { Client } from '../model.ts'
import type { Realm } from '../realm.ts'
import { authenticateClient } from '../tokens/client-authentication.ts'
import { loadTokenHolder, verifyAccessToken, verifyOwnToken } from '../tokens/verify-token.ts'
import type { Call } from './endpoint.ts'

/** `protocol/openid-connect/token/introspect` (RFC 7662): for confidential clients only. */
export async function introspect({ request }: Call, realm: Realm): Promise<Response> {
  const form = await readForm(request)
  const caller = authenticateCaller(realm, request, form)
  const token = form.get('token')
  if (token === null) throw new OAuthError('invalid_request', 'Token not provided.')
  const claims = (await verifyAccessToken(realm, token)) ?? refreshClaims(realm, token)
  const body = claims && isMeantFor(claims, caller) ? await describe(realm, claims) : undefined
  return Response.json(body ?? { active: false })
}

function authenticateCaller(realm: Realm, request: Request, form: URLSearchParams): Client {
  try {
    const client = authenticateClient(realm, request, form)
    if (!client.publicClient) return client
  } catch (error) {
    if (!(error instanceof OAuthError)) throw error
    throw new OAuthError('invalid_request', 'Authentication failed.', { status: 401 })
  }
  throw new OAuthError('invalid_request', 'Client not allowed.', { status: 403 })
}

function refreshClaims(realm: Realm, token: string): JsonObject | undefined {
  const read = verifyOwnToken(realm, token, ['Refresh', 'Offline'])
  return read.kind === 'ok' ? read.claims : undefined
}

/** Whose token it is, or who is meant to accept it, may learn about it. */
function isMeantFor(claims: JsonObject, caller: Client): boolean {
  return claims['azp'] === caller.clientId || audiencesOf(claims).includes(caller.clientId)
}

async function describe(realm: Realm, claims: JsonObject) {
  const holder = await loadTokenHolder(realm, claims)
  if (typeof holder === 'string') return undefined
  const type = claims['typ'] === 'Bearer' ? { token_type: 'Bearer' } : {}
  return { ...claims, client_id: holder.client.clientId, username: holder.user.username, ...type, active: true }
}
