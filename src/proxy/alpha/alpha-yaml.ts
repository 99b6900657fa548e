import { formatGoDuration } from '../../kit/duration.ts'
import type { AlphaOptions } from './alpha-options.ts'
import { goYaml, type YamlValue } from './go-yaml.ts'

/**
 * The YAML that `oauth2-proxy --convert-config-to-alpha` writes for these options, to the byte: it leaves empty texts,
 * lists and mappings out, but writes every switch (oauth2-proxy main.go `printConvertedConfig`).
 */
export function alphaYaml(options: AlphaOptions): string {
  return goYaml(members(options))
}

/** Written even where there is nothing in them. */
const alwaysWritten = new Set(['backendLogoutURL', 'basicAuthPassword', 'metricsServer', 'server'])
const durations = new Set(['flushInterval', 'timeout'])

function members(value: object): { readonly [key: string]: YamlValue } {
  const isDynamic = 'static' in value && value.static === false
  const entries = Object.entries(value).flatMap(([key, member]) => {
    const written = key === 'staticCode' && isDynamic ? undefined : writtenValue(key, member)
    return written === undefined ? [] : [[key, written] as const]
  })
  return Object.fromEntries(entries)
}

function writtenValue(key: string, value: unknown): YamlValue | undefined {
  if (typeof value === 'number') return durations.has(key) ? formatGoDuration(value) : value
  // The original sets this switch nowhere, so that it is written only where it is on.
  if (typeof value === 'boolean') return key === 'InsecureSkipHeaderNormalization' && !value ? undefined : value
  // A secret is bytes to the original.
  if (key === 'value' && typeof value === 'string' && value !== '') return [...Buffer.from(value, 'utf8')]
  if (typeof value === 'string') return value !== '' || alwaysWritten.has(key) ? value : undefined
  if (Array.isArray(value)) {
    const items = value.map((item: unknown) => (typeof item === 'object' && item ? members(item) : String(item)))
    return items.length === 0 ? undefined : items
  }
  if (typeof value !== 'object' || value === null) return undefined
  const found = members(value)
  if (Object.keys(found).length === 0) return alwaysWritten.has(key) ? found : undefined
  return key === 'tls' ? withBothHalves(found) : found
}

/** Of a certificate and its key the one that is missing is written, too. */
function withBothHalves(tls: { readonly [key: string]: YamlValue }): { readonly [key: string]: YamlValue } {
  const both = Object.entries({ cert: {}, key: {}, ...tls })
  return Object.fromEntries(both.toSorted(([a], [b]) => (a < b ? -1 : 1)))
}
