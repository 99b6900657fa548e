import { readFileSync } from 'node:fs'
import { ConfigError, namedSource, type Problem, Problems } from '../../kit/problems.ts'
import { alphaOf } from '../../proxy/alpha/alpha-of-config.ts'
import { alphaYaml } from '../../proxy/alpha/alpha-yaml.ts'
import type { ProxyConfig } from '../../proxy/config.ts'
import { checkSecretFiles } from './check-secrets.ts'
import { compileLogFormats, type LogFormats } from './log-formats.ts'
import { type ConfigurationSources, readConfiguration } from './read-configuration.ts'

/** A configuration the program can be started with. */
export interface Oauth2ProxyPlan {
  readonly config: ProxyConfig
  readonly formats: LogFormats
  /** What deserves a second look. */
  readonly warnings: readonly Problem[]
}

/** Reads and checks a configuration. @throws ConfigError with every problem; GatehouseError `config`. */
export function planOauth2Proxy(sources: Omit<ConfigurationSources, 'readFile'>): Oauth2ProxyPlan {
  const problems = new Problems()
  const config = readConfiguration({ ...sources, readFile: (path) => readFileSync(path, 'utf8') }, problems)
  if (!config) throw new ConfigError(problems.list)
  checkSecretFiles(config, problems)
  const formats = compileLogFormats(config, (key, problem) =>
    problems.error(namedSource('oauth2-proxy'), [key], problem, 'only fields of this kind of line can be filled in'),
  )
  problems.throwIfAny()
  return { config, formats, warnings: problems.list }
}

/**
 * The alpha file that says the same as the flat keys do. As in the original nothing is checked but that everything can
 * be read. @throws ConfigError; GatehouseError `config`.
 */
export function convertToAlpha(sources: Omit<ConfigurationSources, 'readFile'>): string {
  const problems = new Problems()
  const readFile = (path: string) => readFileSync(path, 'utf8')
  const config = readConfiguration({ ...sources, readFile, isUnchecked: true }, problems)
  if (!config) throw new ConfigError(problems.list)
  return alphaYaml(alphaOf(config))
}
