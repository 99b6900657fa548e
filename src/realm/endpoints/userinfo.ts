import { readForm } from '../../http/forms.ts'
import { parseScopes } from '../../oauth/scopes.ts'
import type { Claims } from '../mappers/mapper.ts'
import type { Realm } from '../realm.ts'
import { mapClaims, orderClaims } from '../tokens/map-claims.ts'
import { grantScope } from '../tokens/scope.ts'
import { loadTokenHolder, type NoHolder, verifyAccessToken } from '../tokens/verify-token.ts'
import type { Call } from './endpoint.ts'

const noHolder: Readonly<Record<NoHolder, string>> = {
  client: 'Client not found',
  session: "User session not found or doesn't have client attached on it",
  user: 'User disabled',
}

/** `protocol/openid-connect/userinfo`, by GET or POST; failures are empty but for their `WWW-Authenticate` (UserInfoEndpoint). */
export async function userinfo({ request, calledBy }: Call, realm: Realm): Promise<Response> {
  const token = await presentedToken(request)
  if (token === undefined) return challenge(realm, 401)
  const claims = await verifyAccessToken(realm, token)
  if (!claims) return challenge(realm, 401, 'invalid_token', 'Token verification failed')
  const client = realm.model.clients.get(String(claims['azp']))
  if (client) calledBy(client)
  if (!parseScopes(String(claims['scope'])).includes('openid')) {
    return challenge(realm, 403, 'insufficient_scope', 'Missing openid scope')
  }
  if (claims['sub'] === undefined) {
    return challenge(realm, 401, 'invalid_token', 'Lightweight access token not allowed for userinfo endpoint')
  }
  const holder = await loadTokenHolder(realm, claims)
  if (typeof holder === 'string') return challenge(realm, 401, 'invalid_token', noHolder[holder])
  const { names } = grantScope(holder.client, String(claims['scope']))
  const answer: Claims = { sub: holder.user.id }
  mapClaims(answer, 'userinfo', {
    ...holder,
    model: realm.model,
    scopeNames: names,
    notes: {},
    acr: undefined,
    nonce: undefined,
  })
  return Response.json(
    { sub: holder.user.id, ...orderClaims(answer) },
    { headers: { 'cache-control': 'no-store, no-cache', pragma: 'no-cache' } },
  )
}

/** RFC 6750 §2: in the header, or in the form of a POST. */
async function presentedToken(request: Request): Promise<string | undefined> {
  const bearer = /^bearer +([^ ]+)$/i.exec(request.headers.get('authorization') ?? '')
  if (bearer) return bearer[1]
  if (request.method !== 'POST') return undefined
  return (await readForm(request)).get('access_token') ?? undefined
}

function challenge(realm: Realm, status: 401 | 403, error?: string, description?: string): Response {
  const parts = [`Bearer realm="${realm.model.name}"`]
  if (error !== undefined) parts.push(`error="${error}"`, `error_description="${description}"`)
  return new Response('', {
    status,
    headers: {
      'content-type': 'text/plain;charset=utf-8',
      'www-authenticate': parts.join(', '),
      'cache-control': 'no-store',
    },
  })
}
