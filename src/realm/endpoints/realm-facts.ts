import { createPublicKey } from 'node:crypto'
import type { Realm } from '../realm.ts'
import type { Call } from './endpoint.ts'

/** `GET {base}/realms/{realm}`: what old adapters read (PublishedRealmRepresentation). */
export async function realmFacts(_call: Call, realm: Realm): Promise<Response> {
  const { privateKey } = await realm.keys.current()
  const publicKey = createPublicKey(privateKey.export({ format: 'pem', type: 'pkcs8' }))
  const body = {
    realm: realm.model.name,
    public_key: publicKey.export({ format: 'der', type: 'spki' }).toString('base64'),
    'token-service': `${realm.issuer}/protocol/openid-connect`,
    'account-service': `${realm.issuer}/account`,
    'tokens-not-before': 0,
  }
  return new Response(JSON.stringify(body), { headers: { 'content-type': 'application/json;charset=UTF-8' } })
}
