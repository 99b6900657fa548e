import type { BrokerConfig } from '../../broker/config.ts'
import type { DocumentPath, Problems, Source } from '../../kit/problems.ts'
import type { ProxyConfig } from '../../proxy/config.ts'
import { objectOf, objectsOf, textValue, valueAt } from '../json-values.ts'
import { publicSecret } from '../known-public-secrets.ts'
import type { Originals } from '../originals.ts'
import { proxySetting } from '../proxy-settings.ts'

interface WrittenSecret {
  readonly value: string
  readonly place: { readonly source: Source; readonly path: DocumentPath } | undefined
}

/** Names every secret that everyone can read: an error, or in demo mode a warning. */
export function checkPublicSecrets(
  chain: {
    readonly broker: BrokerConfig | undefined
    readonly proxy: ProxyConfig | undefined
    readonly originals: Originals
  },
  { problems, demo }: { problems: Problems; demo: boolean },
): void {
  const told = new Set<string>()
  for (const { value, place } of writtenSecrets(chain)) {
    const known = publicSecret(value)
    if (known === undefined || !place) continue
    const position = place.source.position(place.path)
    const key = `${place.source.file}:${position?.line}`
    if (told.has(key)) continue
    told.add(key)
    problems
      .under('public-secret')
      .add(
        demo ? 'warning' : 'error',
        place.source,
        place.path,
        `this secret is ${known}, so everyone knows it`,
        'generate your own',
      )
  }
}

function writtenSecrets({ broker, proxy, originals }: Parameters<typeof checkPublicSecrets>[0]): WrittenSecret[] {
  const { dex } = originals
  const root = objectOf(dex?.document.value)
  const placeOf = (list: 'staticClients' | 'staticPasswords', index: number, key: string, variable: string) => {
    const name = textValue(objectsOf(valueAt(root, list))[index] ?? {}, variable)
    const written = name === undefined ? undefined : dex?.environment.placeOf(name)
    return written ?? (dex && { source: dex.document.source, path: [list, index, name === undefined ? key : variable] })
  }
  return [
    ...(broker?.staticClients ?? []).map(({ secret }, index) => ({
      value: secret,
      place: placeOf('staticClients', index, 'secret', 'secretEnv'),
    })),
    ...(broker?.staticPasswords ?? []).map(({ hash }, index) => ({
      value: hash,
      place: placeOf('staticPasswords', index, 'hash', 'hashFromEnv'),
    })),
    ...(['client_secret', 'cookie_secret'] as const).map((key) => ({
      value: proxy?.[key] ?? '',
      place: originals.proxy && proxySetting(originals.proxy, key),
    })),
  ]
}
