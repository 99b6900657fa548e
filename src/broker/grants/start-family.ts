import type { Broker } from '../broker.ts'
import type { Grant } from '../grant.ts'

/**
 * The refresh token of a sign-in: only where the client asked for `offline_access` and the connector can tell later
 * whether the user is still welcome. It ends with its session; none where that has just ended.
 */
export async function startFamily(
  { connectors, families, sessions }: Broker,
  { request, connectorId, identity, connectorData, sid }: Grant,
  id: string,
): Promise<string | undefined> {
  const canRefresh = connectors.find((connector) => connector.id === connectorId)?.refresh !== undefined
  if (!request.scopes.includes('offline_access') || !canRefresh || connectorData === undefined) return undefined
  const { clientId, scopes, nonce } = request
  const token = await families.start(id, {
    clientId,
    connectorId,
    scopes,
    nonce,
    identity,
    connectorData,
    ...(sid === undefined ? {} : { sid }),
  })
  const isCounted = token !== undefined && (await countIn())
  if (isCounted) return token
  await families.revoke(id)
  return undefined

  async function countIn(): Promise<boolean> {
    if (!sessions || sid === undefined) return true
    const tooMany = await sessions.addFamily(sid, { clientId, familyId: id })
    for (const old of tooMany ?? []) await families.revoke(old)
    return tooMany !== undefined
  }
}
