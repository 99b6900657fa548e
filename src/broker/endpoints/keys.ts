import type { Broker } from '../broker.ts'

/** `/keys`: Dex's layout; the signing key first. Verifiers may keep it for ten minutes, a new key is out well before. */
export async function keySetResponse({ keys }: Broker): Promise<Response> {
  const set = await keys.jwks()
  const ordered = set.keys.map(({ use, kty, kid, alg, ...numbers }) => ({ use, kty, kid, alg, ...numbers }))
  return new Response(JSON.stringify({ keys: ordered }, undefined, 2), {
    headers: { 'content-type': 'application/json', 'cache-control': 'max-age=600, must-revalidate' },
  })
}
