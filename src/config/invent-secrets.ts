import { unsetValues } from '../broker/config-environment.ts'
import { withVariables } from './adapt.ts'
import { type JsonObject, objectOf, objectsOf, textsOf, valueAt } from './json-values.ts'
import { isPlaceholderSecret, variableOf } from './known-public-secrets.ts'
import type { Original, Originals, ProxyOriginal } from './originals.ts'
import { proxyText, withProxySetting } from './proxy-settings.ts'

/**
 * Makes up the secrets that are neither in the files nor in this environment but, say, in a cluster: what the files do
 * can be told without them. Nobody signs in with what comes of it.
 */
export function inventSecrets(originals: Originals): Originals {
  const { dex, proxy } = originals
  return { ...originals, dex: dex && withDexSecrets(dex), proxy: proxy && withClientSecret(proxy) }
}

/** The variables that Dex's secrets are read from. */
function withDexSecrets(dex: Original): Original {
  const { document, environment } = dex
  const config = objectOf(document.value)
  const listed = (list: string, key: string) =>
    textsOf(objectsOf(valueAt(config, list)).map((item) => valueAt(item, key)))
  const connectors = objectsOf(valueAt(config, 'connectors')).map((connector) => objectOf(valueAt(connector, 'config')))
  const named = [
    ...listed('staticClients', 'idEnv').map((name) => [name, name]),
    ...listed('staticClients', 'secretEnv').map((name) => [name, unsetValues.secret]),
    ...listed('staticPasswords', 'hashFromEnv').map((name) => [name, unsetValues.hash]),
    ...connectors.flatMap(variablesOf).map((name) => [name, unsetValues.secret]),
  ]
  const unset = named.filter(([name = '']) => name !== '' && !environment.values[name])
  return { ...dex, environment: withVariables(environment, Object.fromEntries(unset)) }
}

/** The variables that are a connector's secrets. */
function variablesOf(config: JsonObject): string[] {
  const secrets = Object.entries(config).filter(([key]) => /secret$/i.test(key))
  return secrets.flatMap(([, value]) => (typeof value === 'string' ? (variableOf(value) ?? []) : []))
}

function withClientSecret(proxy: ProxyOriginal): ProxyOriginal {
  const isThere = !isPlaceholderSecret(proxyText(proxy, 'client_secret')) || proxyText(proxy, 'client_secret_file')
  return isThere ? proxy : withProxySetting(proxy, 'client_secret', unsetValues.secret)
}
