import type { LogoutRecipient, LogoutSender } from '../oidc/logout-sender.ts'
import { logoutTokenClaims } from '../oidc/logout-token.ts'
import { signJwt } from '../tokens/sign.ts'
import type { Broker } from './broker.ts'
import type { StaticClient } from './config.ts'
import { packPair } from './protobuf-pair.ts'
import type { EndedSession } from './sessions.ts'

/** What telling clients needs of the broker. */
type Teller = Pick<Broker, 'clients' | 'issuer' | 'keys' | 'clock' | 'random'> & { readonly logoutSender: LogoutSender }

/** Tells the clients of an ended session that asked for it (`backchannelLogoutURI`); resolves soon in any case. */
export async function tellClients(broker: Teller, sid: string, ended: EndedSession): Promise<void> {
  const clients = ended.clientIds.flatMap((id) => broker.clients.get(id) ?? [])
  await broker.logoutSender.send(clients.flatMap((client) => recipient(broker, client, { sid, ended }) ?? []))
}

function recipient(
  { issuer, keys, clock, random }: Teller,
  { id: clientId, backchannelLogoutURI }: StaticClient,
  { sid, ended: { userId, connectorId } }: { sid: string; ended: EndedSession },
): LogoutRecipient | undefined {
  if (backchannelLogoutURI === '') return undefined
  return {
    clientId,
    url: new URL(backchannelLogoutURI, issuer.url).href,
    async makeToken() {
      const subject = packPair(userId, connectorId)
      const claims = logoutTokenClaims({ issuer: issuer.url, clientId, subject, sid }, { clock, random })
      return signJwt(claims, await keys.current(), { typ: 'logout+jwt' })
    },
  }
}
