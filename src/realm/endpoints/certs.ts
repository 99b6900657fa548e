import type { Realm } from '../realm.ts'
import type { Call } from './endpoint.ts'

/** `protocol/openid-connect/certs`: the JWK Set, the signing key first. */
export async function certs(_call: Call, realm: Realm): Promise<Response> {
  return Response.json(await realm.keys.jwks(), { headers: { 'cache-control': 'no-cache' } })
}
