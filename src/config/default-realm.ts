import type { RealmRepresentation } from '../realm/config.ts'
import { realmRepresentationSchema } from '../realm/config.ts'
import { type ChainSecrets, clientSecretOf } from './chain-secrets.ts'
import type { AppRoute } from './stock.ts'
import { toldAt } from './tell-sign-outs.ts'

/** Who signs the platform's users in, and which clients ask it. */
interface DefaultRealm {
  readonly publicUrl: string
  readonly secrets: ChainSecrets
  readonly apps: readonly AppRoute[]
}

/** Name of the default realm. */
export const platformRealmName = 'platform'
/** The broker's client at the default realm. */
export const brokerClientId = 'gatehouse-broker'
/** The proxy's client at the default broker. */
export const proxyClientId = 'gatehouse-proxy'

/** The realm `platform`: three groups, clients for the broker and for every app that has one. No users. */
export function platformRealm({ publicUrl, secrets, apps }: DefaultRealm): RealmRepresentation {
  return realmRepresentationSchema.parse({
    realm: platformRealmName,
    displayName: 'Gatehouse',
    // As long as the proxy's cookie: a session ends there after a day, or half a day without use.
    ssoSessionIdleTimeout: 43_200,
    ssoSessionMaxLifespan: 86_400,
    groups: [{ name: 'platform-users' }, { name: 'platform-admins' }, { name: 'team', subGroups: [{ name: 'ml' }] }],
    clients: [
      brokerClient({ clientId: brokerClientId, publicUrl, secrets }),
      ...apps.flatMap(({ clientId, name, prefix, isToldSignOuts }) => {
        if (clientId === undefined) return []
        const told = isToldSignOuts ? toldAt(`${publicUrl}${prefix}backchannel-logout`) : {}
        return {
          clientId,
          name,
          secret: clientSecretOf(secrets, clientId),
          redirectUris: [`${publicUrl}${prefix}callback`],
          webOrigins: ['+'],
          attributes: { ...pkce, 'post.logout.redirect.uris': `${publicUrl}${prefix}*`, ...told },
        }
      }),
    ],
  })
}

const pkce = { 'pkce.code.challenge.method': 'S256' }

/** The realm's client for a broker at `<publicUrl>/dex`: its callback, and where its sign-out returns to. */
export function brokerClient({
  clientId,
  publicUrl,
  secrets,
}: {
  readonly clientId: string
  readonly publicUrl: string
  readonly secrets: ChainSecrets
}) {
  return {
    clientId,
    name: 'your apps',
    secret: clientSecretOf(secrets, clientId),
    redirectUris: [`${publicUrl}/dex/callback`],
    attributes: { 'post.logout.redirect.uris': `${publicUrl}/dex/logout/callback` },
  }
}
