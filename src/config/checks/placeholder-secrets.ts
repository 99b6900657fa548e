import type { Problems } from '../../kit/problems.ts'
import type { Environment } from '../environment.ts'
import { type JsonObject, objectOf, objectsOf, textValue, valueAt } from '../json-values.ts'
import { isStandInSecret, variableOf } from '../known-public-secrets.ts'
import type { Originals } from '../originals.ts'
import { type Place, placeInDex } from '../places.ts'
import { proxySetting } from '../proxy-settings.ts'
import { isOurs } from '../report.ts'

interface Checking {
  readonly problems: Problems
  readonly demo: boolean
  /** Whether secrets may be set where these files and this environment do not show it. */
  readonly inventsSecrets?: boolean
}

/**
 * Names every secret that is written and is none: a guide's `CHANGEME`, an empty text, the mask of a Keycloak export (an
 * error, or in demo mode a warning), and every one that is a variable nobody sets.
 */
export function checkPlaceholderSecrets(originals: Originals, { problems, demo, inventsSecrets }: Checking): void {
  const own = problems.under('placeholder-secret')
  for (const { value, variable, place, of } of writtenSecrets(originals)) {
    if (!place || isOurs(place.source)) continue
    if (variable) {
      if (inventsSecrets ? !variable.isKnown : variable.isToldByDex) continue
      const message = `the variable \`${variable.name}\` is not set, so ${of} has no secret`
      own.error(place.source, place.path, message, `set ${variable.name}, or write its value`)
    } else if (typeof value === 'string' && isStandInSecret(value)) {
      const isMask = /^\*+$/.test(value)
      const what = value === '' ? 'empty' : isMask ? 'masked, as Keycloak exports it' : 'the stand-in of a guide'
      const fix = isMask ? 'write the real one, or generate your own' : 'generate your own'
      const message = `the secret of ${of} is ${what}, so there is none`
      own.add(demo ? 'warning' : 'error', place.source, place.path, message, fix)
    }
  }
}

interface WrittenSecret {
  readonly value: unknown
  /** The variable it is to be read from, where that is not set. */
  readonly variable?: UnsetVariable | undefined
  readonly place: Place | undefined
  readonly of: string
}

interface UnsetVariable {
  readonly name: string
  /** Whether the files tell everything its program is started with, so that it is set nowhere else either. */
  readonly isKnown: boolean
  /** Dex reads it, and its reader tells. */
  readonly isToldByDex: boolean
}

function writtenSecrets(originals: Originals): WrittenSecret[] {
  const config = objectOf(originals.dex?.document.value)
  return [
    ...objectsOf(valueAt(config, 'staticClients')).flatMap((client, index) => clientSecret(client, index, originals)),
    ...objectsOf(valueAt(config, 'connectors')).map((connector, index) => connectorSecret(connector, index, originals)),
    ...(['client_secret', 'cookie_secret'] as const).map((key) => proxySecret(key, originals)),
    ...originals.realms.flatMap(realmSecrets),
  ]
}

function clientSecret(client: JsonObject, index: number, originals: Originals): WrittenSecret[] {
  if (valueAt(client, 'public') === true) return []
  const environment = originals.dex?.environment
  const [value, name] = [valueAt(client, 'secret'), textValue(client, 'secretEnv')]
  const of = `the client \`${textValue(client, 'id') ?? textValue(client, 'idEnv') ?? index}\``
  const placed = (key: string) => ({ place: placeInDex(originals, ['staticClients', index, key]), of })
  if (!name) return [{ value, variable: unset(variableIn(value), environment), ...placed('secret') }]
  return [{ value, variable: unset(name, environment, { isToldByDex: true }), ...placed('secretEnv') }]
}

function connectorSecret(connector: JsonObject, index: number, originals: Originals): WrittenSecret {
  const value = valueAt(objectOf(valueAt(connector, 'config')), 'clientSecret')
  return {
    value,
    variable: unset(variableIn(value), originals.dex?.environment, { isToldByDex: true }),
    place: placeInDex(originals, ['connectors', index, 'config', 'clientSecret']),
    of: `the connector \`${textValue(connector, 'id') ?? index}\``,
  }
}

function proxySecret(key: 'client_secret' | 'cookie_secret', { proxy }: Originals): WrittenSecret {
  const setting = proxy && proxySetting(proxy, key)
  const variable = unset(variableIn(setting?.value), proxy?.environment)
  return { value: setting?.value, variable, place: setting, of: `oauth2-proxy (\`${key}\`)` }
}

function realmSecrets({ value, source }: Originals['realms'][number]): WrittenSecret[] {
  return objectsOf(objectOf(value)['clients']).flatMap((client, index) =>
    client['publicClient'] === true || client['bearerOnly'] === true
      ? []
      : {
          value: client['secret'],
          place: { source, path: ['clients', index, 'secret'] },
          of: `the client \`${textValue(client, 'clientId') ?? index}\``,
        },
  )
}

const variableIn = (value: unknown): string | undefined => (typeof value === 'string' ? variableOf(value) : undefined)

function unset(
  name: string | undefined,
  environment: Environment | undefined,
  { isToldByDex = false } = {},
): UnsetVariable | undefined {
  if (name === undefined || !environment || environment.values[name]) return undefined
  return { name, isKnown: environment.isWhole, isToldByDex }
}
