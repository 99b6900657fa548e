import type { RequestContext } from '../../http/part.ts'
import { receiveLogout } from '../../oidc/backchannel-logout.ts'
import type { Broker } from '../broker.ts'
import { endSession } from '../end-session.ts'

/**
 * `/backchannel-logout/{connector}`: the identity provider says that a session there has ended (OpenID Connect
 * Back-Channel Logout 1.0), so those that came of it end here, and their clients are told in turn. Dex has no such place.
 */
export function handleBackchannelLogout(
  broker: Broker,
  request: Request,
  { connectorId, context: { requestId } }: { connectorId: string; context: RequestContext },
): Promise<Response> {
  const { connectors, sessions, log } = broker
  const capability = connectors.find(({ id }) => id === connectorId)?.backchannelLogout
  if (!capability || !sessions) return Promise.resolve(Response.json({ error: 'not_found' }, { status: 404 }))
  return receiveLogout(request, {
    verify: (token) => capability.verify(token),
    async end(notice) {
      const sids = await sessions.ofUpstream(connectorId, notice)
      for (const sid of sids) await endSession(broker, sid)
      log.info('signed out by the identity provider', { requestId, connector: connectorId, sessions: sids.length })
    },
    refused: (reason) => log.warn('logout token refused', { requestId, connector: connectorId, reason }),
  })
}
