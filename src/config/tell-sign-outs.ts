import type { BrokerConfig } from '../broker/config.ts'
import type { RealmRepresentation } from '../realm/config.ts'
import type { ChainConfig } from './chain.ts'
import type { ReportBook } from './report.ts'

/** The client attribute of Keycloak that names where a client is told of sign-outs. */
const urlKey = 'backchannel.logout.url'

/** A client of the chain that is a part of it itself, and where that part is told of sign-outs. */
interface OwnClient {
  readonly issuer: string
  readonly clientId: string
  readonly url: string
}

/**
 * Has realm and broker tell the parts that sign users in at them of every sign-out, so that one anywhere ends the
 * sessions of all. Where a file says whom to tell, it says so.
 */
export function withSignOutsTold<Chain extends Omit<ChainConfig, 'report'>>(chain: Chain, report?: ReportBook): Chain {
  const { realm, broker } = chain
  const clients = ownClients(chain)
  const realms = realm?.realms.map((one) => {
    const issuer = `${realm.publicUrl}/realms/${one.realm}`
    return withTold(one, { clients: clients.filter((client) => client.issuer === issuer), report })
  })
  return {
    ...chain,
    ...(realm && realms ? { realm: { ...realm, realms } } : {}),
    ...(broker ? { broker: withTheProxyTold(broker, { clients, report }) } : {}),
  }
}

/** The attributes of a realm's client that is told of sign-outs at this URL, session by session. */
export function toldAt(url: string): Readonly<Record<string, string>> {
  return { [urlKey]: url, 'backchannel.logout.session.required': 'true' }
}

function ownClients({ publicUrl, broker, proxy }: Omit<ChainConfig, 'report'>): OwnClient[] {
  const ofBroker = (broker?.connectors ?? []).flatMap((connector) => {
    if (connector.type !== 'oidc' || !broker) return []
    const { issuer, clientID: clientId } = connector.config
    const base = `${publicUrl}${new URL(broker.issuer).pathname.replace(/\/$/, '')}`
    return { issuer, clientId, url: `${base}/backchannel-logout/${encodeURIComponent(connector.id)}` }
  })
  if (!proxy) return ofBroker
  const { oidc_issuer_url: issuer, client_id: clientId, proxy_prefix: prefix } = proxy
  return [...ofBroker, { issuer, clientId, url: `${publicUrl}${prefix}/backchannel-logout` }]
}

function withTold(
  realm: RealmRepresentation,
  { clients, report }: { clients: readonly OwnClient[]; report: ReportBook | undefined },
): RealmRepresentation {
  return {
    ...realm,
    clients: realm.clients.map((client) => {
      const own = clients.find(({ clientId }) => clientId === client.clientId)
      if (!own || client.attributes?.[urlKey] !== undefined) return client
      report?.filled(`${urlKey} of client \`${client.clientId}\``, { to: own.url, why: 'it is told of sign-outs' })
      return { ...client, attributes: { ...client.attributes, ...toldAt(own.url) } }
    }),
  }
}

function withTheProxyTold(
  broker: BrokerConfig,
  { clients, report }: { clients: readonly OwnClient[]; report: ReportBook | undefined },
): BrokerConfig {
  return {
    ...broker,
    staticClients: broker.staticClients.map((client) => {
      const own = clients.find(({ issuer, clientId }) => issuer === broker.issuer && clientId === client.id)
      if (!own || client.backchannelLogoutURI !== '') return client
      report?.filled(`backchannelLogoutURI of \`${client.id}\``, { to: own.url, why: 'it is told of sign-outs' })
      return { ...client, backchannelLogoutURI: own.url }
    }),
  }
}
