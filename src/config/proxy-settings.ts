import type { DocumentPath, Problems, Source } from '../kit/problems.ts'
import { parseProxyFlags } from '../proxy/flags.ts'
import { environmentNameOf, type ProxyKeyName } from '../proxy/keys.ts'
import type { Environment } from './environment.ts'
import { objectOf, valueAt } from './json-values.ts'
import type { ProxyOriginal } from './originals.ts'
import type { Container } from './workloads.ts'

/** A value and the place it was written at. */
export interface Setting {
  readonly value: unknown
  readonly source: Source
  readonly path: DocumentPath
}

/** The flags of a container's command line as variables above its own: oauth2-proxy's precedence. */
export function withFlags(
  environment: Environment,
  { container, problems }: { container: Container | undefined; problems: Problems },
): Environment {
  const first = container?.args.findIndex((arg) => arg.startsWith('-')) ?? -1
  if (!container || first === -1) return environment
  const { values, unknown } = parseProxyFlags(container.args.slice(first))
  for (const { message, fix } of unknown) problems.error(container.source, ['args'], message, fix)
  const flags = new Map([...values].map(([name, value]) => [environmentNameOf(name), String(value)]))
  return {
    values: { ...environment.values, ...Object.fromEntries(flags) },
    missing: environment.missing.filter(({ name }) => name === undefined || !flags.has(name)),
    isWhole: environment.isWhole,
    placeOf: (name) => (flags.has(name) ? { source: container.source, path: ['args'] } : environment.placeOf(name)),
  }
}

/** A setting of oauth2-proxy: the variable, or else the key of the file. An empty variable is an unset one. */
export function proxySetting({ document, environment }: ProxyOriginal, key: ProxyKeyName): Setting | undefined {
  const name = environmentNameOf(key)
  const variable = environment.values[name]
  if (variable !== undefined && variable !== '') {
    const place = environment.placeOf(name) ?? {
      source: { file: 'environment', position: () => undefined },
      path: [name],
    }
    return { value: variable, ...place }
  }
  const value = document && valueAt(objectOf(document.value), key)
  return document && value !== undefined ? { value, source: document.source, path: [key] } : undefined
}

/** The setting as text; `undefined` where it is missing or empty. */
export function proxyText(proxy: ProxyOriginal | undefined, key: ProxyKeyName): string | undefined {
  const value = proxy && proxySetting(proxy, key)?.value
  return value === undefined || value === '' ? undefined : String(value)
}

/** The same settings with one of them changed, or taken away where `value` is `undefined`. */
export function withProxySetting(
  { document, environment }: ProxyOriginal,
  key: ProxyKeyName,
  value: string | undefined,
): ProxyOriginal {
  const name = environmentNameOf(key)
  const entries = Object.entries(objectOf(document?.value)).filter(([each]) => each.toLowerCase() !== key)
  return {
    document: document && { ...document, value: Object.fromEntries(entries) },
    environment: { ...environment, values: { ...environment.values, [name]: value } },
  }
}
