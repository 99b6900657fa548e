import type { Problems } from '../../kit/problems.ts'
import { objectOf, objectsOf, textValue, valueAt } from '../json-values.ts'
import { isStandInSecret } from '../known-public-secrets.ts'
import type { Originals } from '../originals.ts'
import { type Place, placeInDex } from '../places.ts'
import { proxySetting } from '../proxy-settings.ts'
import { isOurs } from '../report.ts'

/**
 * Names every secret that is written and is none: a guide's `CHANGEME`, an empty text, the mask of a Keycloak export. An
 * error, or in demo mode a warning.
 */
export function checkPlaceholderSecrets(
  originals: Originals,
  { problems, demo }: { readonly problems: Problems; readonly demo: boolean },
): void {
  for (const { value, place, of } of writtenSecrets(originals)) {
    if (typeof value !== 'string' || !place || isOurs(place.source) || !isStandInSecret(value)) continue
    const isMask = /^\*+$/.test(value)
    const what = value === '' ? 'empty' : isMask ? 'masked, as Keycloak exports it' : 'the stand-in of a guide'
    const message = `the secret of ${of} is ${what}, so there is none`
    const fix = isMask ? 'write the real one, or generate your own' : 'generate your own'
    problems.under('placeholder-secret').add(demo ? 'warning' : 'error', place.source, place.path, message, fix)
  }
}

interface WrittenSecret {
  readonly value: unknown
  readonly place: Place | undefined
  readonly of: string
}

function writtenSecrets(originals: Originals): WrittenSecret[] {
  const { dex, proxy, realms } = originals
  const root = objectOf(dex?.document.value)
  const clients = objectsOf(valueAt(root, 'staticClients')).flatMap((client, index) =>
    valueAt(client, 'public') === true
      ? []
      : {
          value: valueAt(client, 'secret'),
          place: placeInDex(originals, ['staticClients', index, 'secret']),
          of: `the client \`${textValue(client, 'id') ?? index}\``,
        },
  )
  const connectors = objectsOf(valueAt(root, 'connectors')).map((connector, index) => ({
    value: valueAt(objectOf(valueAt(connector, 'config')), 'clientSecret'),
    place: placeInDex(originals, ['connectors', index, 'config', 'clientSecret']),
    of: `the connector \`${textValue(connector, 'id') ?? index}\``,
  }))
  const ofProxy = (['client_secret', 'cookie_secret'] as const).map((key) => {
    const setting = proxy && proxySetting(proxy, key)
    return { value: setting?.value, place: setting, of: `oauth2-proxy (\`${key}\`)` }
  })
  const ofRealms = realms.flatMap(({ value, source }) =>
    objectsOf(objectOf(value)['clients']).flatMap((client, index) =>
      client['publicClient'] === true || client['bearerOnly'] === true
        ? []
        : {
            value: client['secret'],
            place: { source, path: ['clients', index, 'secret'] },
            of: `the client \`${textValue(client, 'clientId') ?? index}\``,
          },
    ),
  )
  return [...clients, ...connectors, ...ofProxy, ...ofRealms]
}
