import { namedSource, nearestName, type Problems, type Source, type SourceDocument } from '../kit/problems.ts'
import type { AlphaOptions } from './alpha/alpha-options.ts'
import { configOfAlpha } from './alpha/config-of-alpha.ts'
import { convertedKeys } from './alpha/converted-keys.ts'
import { checkProxyConfig } from './config-checks.ts'
import { parseProxyFlags } from './flags.ts'
import { environmentNameOf, flagOf, type ProxyKeyName, proxyKeyNames, proxyKeys } from './keys.ts'
import { defaultProxyConfig, type ProxyConfig, typedConfig } from './typed-config.ts'
import { kindExpectations, weakValue } from './weak-values.ts'

/** Environment variables with where they were read. */
export interface ProxyEnvironment {
  readonly values: Readonly<Record<string, string | undefined>>
  /** Positions are asked by `[NAME]`. */
  readonly source?: Source
}

/** Where oauth2-proxy takes its configuration from. */
export interface ProxyOptionSources {
  /** The parsed TOML file. */
  readonly toml?: SourceDocument
  readonly env?: ProxyEnvironment
  /** The command line behind the program's name. */
  readonly flags?: readonly string[]
  /** A read alpha file: it stands for the keys it covers, which may not be given otherwise then. */
  readonly alpha?: { readonly options: AlphaOptions; readonly source: Source }
  /**
   * What the configuration is for: the part of a chain (unless told), a program of its own, or only to be shown, so that
   * nothing is checked but that it can be read.
   */
  readonly use?: 'chain' | 'program' | 'conversion'
  readonly problems: Problems
}

interface Found {
  readonly raw: unknown
  readonly source: Source
  readonly path: readonly string[]
}

/**
 * Reads oauth2-proxy's configuration with its precedence (flag, environment, TOML, default; pkg/apis/options/load.go)
 * and weak typing. Everything wrong goes to `problems`; keys that are set but not acted on are named there, too.
 * `undefined` when a problem is an error.
 */
export function parseProxyOptions(sources: ProxyOptionSources): ProxyConfig | undefined {
  const { toml, env, flags, alpha, problems, use = 'chain' } = sources
  const errorsBefore = countErrors(problems)
  const found = new Map<ProxyKeyName, Found>(
    [...findInToml(toml, problems), ...findInEnvironment(env), ...findInFlags(flags, problems)].filter(
      ([name, place]) => !alpha || isBesideAlpha(name, place, { env, problems }),
    ),
  )
  const isReadable = new Set<ProxyKeyName>(proxyKeyNames)
  const flat = typedConfig((name) => {
    const place = found.get(name)
    if (!place) return defaultProxyConfig[name]
    const { kind } = proxyKeys[name]
    const value = weakValue(kind, place.raw)
    if (value !== undefined) return value
    problems.error(place.source, place.path, `must be ${kindExpectations[kind]}, got ${describe(place.raw)}`)
    isReadable.delete(name)
    return defaultProxyConfig[name]
  })
  const config = alpha ? configOfAlpha(flat, alpha.options) : flat
  const fallback = alpha?.source ?? toml?.source ?? env?.source ?? namedSource('oauth2-proxy')
  for (const { severity, key, message, fix } of use === 'conversion'
    ? []
    : checkProxyConfig(config, { isProgram: use === 'program' })) {
    const { source, path } = found.get(key) ?? { source: fallback, path: [key] }
    if (isReadable.has(key)) problems.add(severity, source, path, message, fix)
  }
  return countErrors(problems) > errorsBefore ? undefined : config
}

/** Whether the key may be given beside an alpha file; its variable is passed over, as the original does, but told. */
function isBesideAlpha(
  name: ProxyKeyName,
  { source, path }: Found,
  { env, problems }: { env: ProxyEnvironment | undefined; problems: Problems },
): boolean {
  if (!convertedKeys.has(name)) return true
  const isVariable = env !== undefined && path[0] === environmentNameOf(name)
  if (isVariable) problems.warn(source, path, 'is not read beside an alpha file', 'write it there')
  else problems.error(source, path, 'may not be set beside an alpha file', 'write it there')
  return false
}

function countErrors({ list }: Problems): number {
  return list.filter(({ severity }) => severity === 'error').length
}

function describe(raw: unknown): string {
  return typeof raw === 'string' ? `\`${raw}\`` : (JSON.stringify(raw) ?? typeof raw)
}

const namesByKey: ReadonlyMap<string, ProxyKeyName> = new Map(proxyKeyNames.map((name) => [name, name]))

function* findInToml(toml: SourceDocument | undefined, problems: Problems): Generator<[ProxyKeyName, Found]> {
  if (!toml) return
  const { value, source } = toml
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    problems.error(source, [], 'must be a table of keys')
    return
  }
  for (const [key, raw] of Object.entries(value)) {
    const name = namesByKey.get(key.toLowerCase()) // viper's keys have no case
    if (name !== undefined) {
      yield [name, { raw, source, path: [key] }]
      continue
    }
    const near = nearestName(key, proxyKeyNames)
    problems.error(
      source,
      [key],
      `unknown key \`${key}\``,
      near === undefined ? undefined : `did you mean \`${near}\`?`,
    )
  }
}

function* findInEnvironment(env: ProxyEnvironment | undefined): Generator<[ProxyKeyName, Found]> {
  if (!env) return
  const source = env.source ?? namedSource('environment')
  for (const name of proxyKeyNames) {
    const variable = environmentNameOf(name)
    const raw = env.values[variable]
    // viper: an empty variable is an unset one (Kubeflow ships OAUTH2_PROXY_EXTRA_JWT_ISSUERS empty)
    if (raw !== undefined && raw !== '') yield [name, { raw, source, path: [variable] }]
  }
}

function* findInFlags(flags: readonly string[] | undefined, problems: Problems): Generator<[ProxyKeyName, Found]> {
  if (!flags) return
  const source = namedSource('command line')
  const { values, unknown, stray } = parseProxyFlags(flags)
  for (const [name, raw] of values) yield [name, { raw, source, path: [flagOf(name)] }]
  for (const { flag, message, fix } of unknown) problems.error(source, [flag], message, fix)
  for (const argument of stray) problems.warn(source, [argument], 'is no flag and has no effect', 'remove it')
}
