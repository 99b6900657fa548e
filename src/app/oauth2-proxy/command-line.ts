import { GatehouseError } from '../../kit/errors.ts'
import { ConfigError, formatProblem, namedSource, type Problem, Problems } from '../../kit/problems.ts'
import { alphaOf } from '../../proxy/alpha/alpha-of-config.ts'
import { alphaYaml } from '../../proxy/alpha/alpha-yaml.ts'
import { convertedKeys } from '../../proxy/alpha/converted-keys.ts'
import type { ProxyConfig } from '../../proxy/config.ts'
import type { ProxyFlags } from '../../proxy/flags.ts'
import { flagOf } from '../../proxy/keys.ts'
import { hasRedis } from '../../proxy/sessions/redis-settings.ts'
import { checkLogFile, checkNamedFiles, checkPublicSecrets, checkSecretFiles } from './check-secrets.ts'
import { compileLogFormats, type LogFormats } from './log-formats.ts'
import { readConfiguration } from './read-configuration.ts'

/** A configuration the program can be started with. */
export interface Oauth2ProxyPlan {
  readonly config: ProxyConfig
  readonly formats: LogFormats
  /** What deserves a second look. */
  readonly warnings: readonly Problem[]
}

/** What a command line comes to: an end with a status and something to print, or a start. */
export type CommandLineOutcome =
  | {
      readonly kind: 'end'
      readonly status: number
      readonly stdout: string
      readonly stderr: string
      /** Of a test that is passed if this configuration's Redis can be used, too. */
      readonly needsRedis?: ProxyConfig
    }
  | { readonly kind: 'start'; readonly plan: Oauth2ProxyPlan }

/** What a command line is read with. */
export interface CommandLine {
  readonly argv: readonly string[]
  /** Of `parseProxyFlags(argv)`; none of them unknown. */
  readonly flags: Pick<ProxyFlags, 'commands' | 'values'>
  readonly variables: Readonly<Record<string, string | undefined>>
  /** @throws NodeJS.ErrnoException where the file cannot be read. */
  readFile(path: string): string
}

/** Reads and checks the configuration, and does what needs no start: `--config-test`, `--convert-config-to-alpha`. */
export function settleCommandLine(line: CommandLine): CommandLineOutcome {
  const { 'convert-config-to-alpha': converts, 'config-test': tests, 'alpha-config': alphaFile } = line.flags.commands
  const end = (status: number, stdout: string, stderr = '') => ({ kind: 'end', status, stdout, stderr }) as const
  try {
    if (converts && alphaFile) return end(1, '', 'cannot use alpha-config and convert-config-to-alpha together\n')
    if (converts && tests) return end(1, '', 'cannot use config-test and convert-config-to-alpha together\n')
    const moved = alphaFile ? [...line.flags.values.keys()].filter((name) => convertedKeys.has(name)) : []
    if (moved.length > 0) {
      // Beside an alpha file these are unknown flags to the original, which end it with status 2.
      return end(2, '', moved.map((name) => `unknown flag: ${flagOf(name)}; the alpha file stands for it\n`).join(''))
    }
    if (converts) return end(0, convertToAlpha(line))
    const plan = planStart(line)
    if (!tests) return { kind: 'start', plan }
    const passed = end(0, 'configuration is valid\n', plan.warnings.map((one) => `${formatProblem(one)}\n`).join(''))
    return hasRedis(plan.config) ? { ...passed, needsRedis: plan.config } : passed
  } catch (error) {
    if (error instanceof ConfigError) return end(1, '', invalidConfiguration(error.problems))
    if (error instanceof GatehouseError) return end(1, '', `ERROR: ${error.message}\n`)
    throw error
  }
}

function invalidConfiguration(problems: readonly Problem[]): string {
  return ['invalid configuration:', ...problems.map((problem) => `  ${formatProblem(problem)}`), ''].join('\n')
}

function planStart(line: CommandLine): Oauth2ProxyPlan {
  const problems = new Problems()
  const config = readConfiguration(sourcesOf(line), problems)
  if (!config) throw new ConfigError(problems.list)
  checkSecretFiles(config, problems)
  checkNamedFiles(config, problems)
  checkLogFile(config, problems)
  checkPublicSecrets(config, problems)
  const formats = compileLogFormats(config, (key, problem) =>
    problems.error(namedSource('oauth2-proxy'), [key], problem, 'only fields of this kind of line can be filled in'),
  )
  problems.throwIfAny()
  return { config, formats, warnings: problems.list }
}

/** As in the original nothing is checked but that everything can be read. */
function convertToAlpha(line: CommandLine): string {
  const problems = new Problems()
  const config = readConfiguration({ ...sourcesOf(line), isUnchecked: true }, problems)
  if (!config) throw new ConfigError(problems.list)
  return alphaYaml(alphaOf(config))
}

function sourcesOf({ argv, flags: { commands }, variables, readFile }: CommandLine) {
  return {
    ...{ flags: argv, variables, readFile },
    configFile: textOf(commands.config),
    alphaFile: textOf(commands['alpha-config']),
  }
}

function textOf(value: string | true | undefined): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined
}
