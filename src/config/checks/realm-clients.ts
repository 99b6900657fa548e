import type { Problems } from '../../kit/problems.ts'
import { type JsonObject, objectOf, objectsOf, textsOf, textValue } from '../json-values.ts'
import type { Originals } from '../originals.ts'
import { type Place, seenAt, tell } from '../places.ts'
import { type RealmUser, realmUsers } from '../realm-users.ts'

/** Whoever signs in at a realm must be a client of it, with the same secret and a registered redirect URI. */
export function checkRealmClients(
  { originals, publicUrl }: { readonly originals: Originals; readonly publicUrl: string },
  problems: Problems,
): void {
  for (const user of realmUsers(originals, publicUrl)) {
    const realm = originals.realms.find(
      ({ value }) => `${publicUrl}/auth/realms/${textValue(objectOf(value), 'realm')}` === user.issuer,
    )
    if (!realm) continue
    const clients = objectsOf(objectOf(realm.value)['clients'])
    const index = clients.findIndex(({ clientId }) => clientId === user.clientId)
    const client = clients[index]
    if (client) checkClient(user, { client, place: { source: realm.source, path: ['clients', index] } }, problems)
    else {
      const message = `${user.title} is the client \`${user.clientId}\`, which the realm does not have`
      const place = { source: realm.source, path: ['clients'] }
      tell(
        problems.under('unknown-client'),
        user.clientIdPlace,
        `${message}${seenAt(place)}`,
        'add it to the realm file',
      )
    }
  }
}

function checkClient(
  user: RealmUser,
  { client, place }: { client: JsonObject; place: Place },
  problems: Problems,
): void {
  const { title, clientId, redirectUri } = user
  if (client['publicClient'] !== true && client['secret'] !== user.secret) {
    const message = `the secret of ${title} is not that of the realm's client \`${clientId}\`${seenAt(place)}`
    tell(problems.under('client-secret-mismatch'), user.secretPlace, message, 'write the same secret in both')
  }
  const rootUrl = textValue(client, 'rootUrl') ?? ''
  if (textsOf(client['redirectUris']).some((entry) => matchesRedirect(entry, redirectUri, rootUrl))) return
  const message = `\`${redirectUri}\` is none of the redirectUris of the realm's client \`${clientId}\`${seenAt(place)}`
  tell(problems.under('redirect-uri-mismatch'), user.redirectPlace, message, 'add it there')
}

/** Keycloak's rule: exact, or a prefix where the entry ends with `*`; entries may be relative to `rootUrl`. */
function matchesRedirect(entry: string, uri: string, rootUrl: string): boolean {
  const full = entry.startsWith('/') ? `${rootUrl}${entry}` : entry
  return full.endsWith('*') ? uri.startsWith(full.slice(0, -1)) : full === uri
}
