import { namedSource, type SourceDocument } from '../kit/problems.ts'
import { type Adapting, withValueAt } from './adapt.ts'
import { clientSecretOf } from './chain-secrets.ts'
import { objectOf, objectsOf, textValue } from './json-values.ts'
import { isPlaceholderSecret } from './known-public-secrets.ts'
import type { Originals } from './originals.ts'
import { type RealmUser, realmUsers } from './realm-users.ts'
import { isOurs } from './report.ts'

/**
 * Gives every user of a realm of this run its client: a realm nobody has a file of is made, with the client and without
 * users; a secret that one side lacks (or has a guide's stand-in for) is the other side's or a generated one; sign-out
 * may come back. What the two sides say differently is left for the checks.
 */
export function agreeOnRealmClients(originals: Originals, adapting: Adapting): Originals {
  let agreed = originals
  for (const user of realmUsers(originals, adapting.publicUrl)) agreed = agreeWith(user, agreed, adapting)
  return agreed
}

function agreeWith(user: RealmUser, originals: Originals, adapting: Adapting): Originals {
  const { publicUrl, secrets, report } = adapting
  const name = user.issuer.slice(`${publicUrl}/auth/realms/`.length)
  const at = originals.realms.findIndex(({ value }) => textValue(objectOf(value), 'realm') === name)
  const realm = originals.realms[at]
  const clients = objectsOf(objectOf(realm?.value)['clients'])
  const index = clients.findIndex(({ clientId }) => clientId === user.clientId)
  const theirs = textValue(clients[index] ?? {}, 'secret')
  const known = [user.secret, theirs].find((secret) => !isPlaceholderSecret(secret))
  const secret = known ?? clientSecretOf(secrets, user.clientId)

  let agreed = originals
  if (isPlaceholderSecret(user.secret)) {
    const to = known === undefined ? 'a generated secret' : 'the secret of the realm’s client'
    const { source, path } = user.secretPlace ?? { source: namedSource('gatehouse:chain'), path: [] }
    report.at('filled in', source, path, `secret of ${user.title}`, { to })
    agreed = user.withSecret(agreed, secret)
  }
  if (!realm) {
    report.filled(`realm \`${name}\``, {
      why: `for ${user.title}; it has the client \`${user.clientId}\``,
    })
    return { ...agreed, realms: [...agreed.realms, newRealm(name, { user, secret })] }
  }
  if (index === -1 && !(user.clientIdPlace && isOurs(user.clientIdPlace.source))) return agreed
  const completed =
    index === -1
      ? withValueAt(realm, ['clients'], [...clients, newClient({ user, secret })])
      : completeClient(realm, { index, user, secret, report })
  return { ...agreed, realms: agreed.realms.map((each, position) => (position === at ? completed : each)) }
}

function newRealm(name: string, { user, secret }: { user: RealmUser; secret: string }): SourceDocument {
  const value = {
    realm: name,
    enabled: true,
    bruteForceProtected: true,
    groups: [{ name: 'platform-users' }, { name: 'platform-admins' }, { name: 'team', subGroups: [{ name: 'ml' }] }],
    clients: [newClient({ user, secret })],
  }
  return { value, source: namedSource(`gatehouse:realm ${name}`) }
}

const postLogoutKey = 'post.logout.redirect.uris'

function newClient({ user, secret }: { user: RealmUser; secret: string }) {
  return {
    clientId: user.clientId,
    secret,
    directAccessGrantsEnabled: true,
    redirectUris: [user.redirectUri],
    attributes: { [postLogoutKey]: user.postLogoutUri },
  }
}

function completeClient(
  realm: SourceDocument,
  { index, user, secret, report }: { index: number; user: RealmUser; secret: string } & Pick<Adapting, 'report'>,
): SourceDocument {
  const path = ['clients', index]
  const client = objectOf(objectsOf(objectOf(realm.value)['clients'])[index])
  let completed = realm
  if (client['publicClient'] !== true && isPlaceholderSecret(client['secret'])) {
    report.at('filled in', realm.source, path, `secret of client \`${user.clientId}\``, { to: `that of ${user.title}` })
    completed = withValueAt(completed, [...path, 'secret'], secret)
  }
  const written = objectOf(client['attributes'])[postLogoutKey]
  const uris = typeof written === 'string' ? written.split('##').filter(Boolean) : []
  if (uris.includes(user.postLogoutUri)) return completed
  report.at('filled in', realm.source, [...path, 'attributes', postLogoutKey], postLogoutKey, {
    to: user.postLogoutUri,
    why: `where a sign-out of ${user.title} comes back to`,
  })
  const all = [...(uris.length > 0 ? uris : ['+']), user.postLogoutUri].join('##')
  return withValueAt(completed, [...path, 'attributes', postLogoutKey], all)
}
