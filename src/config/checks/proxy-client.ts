import type { BrokerConfig, StaticClient } from '../../broker/config.ts'
import type { Problems } from '../../kit/problems.ts'
import type { ProxyConfig } from '../../proxy/config.ts'
import type { Originals } from '../originals.ts'
import { type Place, placeInDex, placeInProxy, seenAt, tell } from '../places.ts'
import { isRealmOf } from '../realm-users.ts'

interface Pair {
  readonly publicUrl: string
  readonly originals: Originals
  readonly broker: BrokerConfig | undefined
  readonly proxy: ProxyConfig | undefined
}

/** The proxy must be a client of Dex: same issuer, a static client with its id, secret and redirect URI. */
export function checkProxyClient({ publicUrl, originals, broker, proxy }: Pair, problems: Problems): void {
  if (!broker || !proxy || isRealmOf(publicUrl, proxy.oidc_issuer_url)) return
  if (proxy.oidc_issuer_url !== broker.issuer) {
    const issuerPlace = seenAt(placeInDex(originals, ['issuer']))
    const written = proxy.oidc_issuer_url
    const isWhat = written === '' ? '`oidc_issuer_url` is not set' : `is \`${written}\``
    const message = `${isWhat}, but the issuer of Dex is \`${broker.issuer}\`${issuerPlace}`
    tell(
      problems.under('issuer-mismatch'),
      placeInProxy(originals, 'oidc_issuer_url'),
      message,
      'write both alike, to the letter',
    )
  }
  const index = broker.staticClients.findIndex(({ id }) => id === proxy.client_id)
  const client = broker.staticClients[index]
  if (!client) {
    const known = broker.staticClients.map(({ id }) => `\`${id}\``).join(', ') || 'none'
    const message = `no static client of Dex has the id \`${proxy.client_id}\`${seenAt(placeInDex(originals, ['staticClients']))}`
    tell(problems.under('unknown-client'), placeInProxy(originals, 'client_id'), message, `known: ${known}`)
    return
  }
  const place = placeInDex(originals, ['staticClients', index])
  checkClient(client, { publicUrl, originals, proxy, place }, problems)
}

function checkClient(
  client: StaticClient,
  { publicUrl, originals, proxy, place }: Omit<Pair, 'broker'> & { proxy: ProxyConfig; place: Place | undefined },
  problems: Problems,
): void {
  if (!client.public && proxy.client_secret !== '' && client.secret !== proxy.client_secret) {
    const isBlank = client.secret.trim() === proxy.client_secret.trim()
    const what = `is not the secret of the static client \`${client.id}\`${seenAt(place)}`
    tell(
      problems.under('client-secret-mismatch'),
      placeInProxy(originals, 'client_secret'),
      isBlank ? `${what}: one of them begins or ends with a blank or a line break` : what,
      isBlank ? 'make the Secret of a text without one (`printf %s`, not `echo`)' : 'give both the same Secret',
    )
  }
  const { redirect_url: url, relative_redirect_url: isRelative } = proxy
  const sent = url.startsWith('/') && !isRelative ? `${publicUrl}${url}` : url || `${publicUrl}/oauth2/callback`
  if (client.redirectURIs.includes(sent)) return
  const message = `\`${sent}\` is none of the redirectURIs of the static client \`${client.id}\`${seenAt(place)}`
  tell(
    problems.under('redirect-uri-mismatch'),
    placeInProxy(originals, 'redirect_url'),
    message,
    `known: ${client.redirectURIs.join(', ') || 'none'}`,
  )
}
