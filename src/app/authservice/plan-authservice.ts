import { accessSync, constants, existsSync } from 'node:fs'
import { dirname } from 'node:path'
import { publicSecret } from '../../config/known-public-secrets.ts'
import type { LogLevel } from '../../kit/log.ts'
import { namedSource, type Problem, Problems } from '../../kit/problems.ts'
import { parseAuthserviceEnv } from '../../proxy/authservice/parse-environment.ts'
import { boltFile } from '../../proxy/authservice/store-keys.ts'
import type { ProxyConfig } from '../../proxy/config.ts'
import { defaultProxyConfig } from '../../proxy/typed-config.ts'
import { derivedCookieSecret } from './cookie-secret.ts'

/** oidc-authservice's variables as a program that can be started. */
export interface AuthservicePlan {
  readonly config: ProxyConfig
  /** Address of all listeners; every one of the machine without one. */
  readonly host: string | undefined
  readonly ports: { readonly check: number; readonly readiness: number; readonly pages: number }
  readonly logLevel: LogLevel
  /** What deserves a second look. */
  readonly warnings: readonly Problem[]
}

/** What the plan is made from. */
export interface AuthserviceEnvironment {
  readonly variables: Readonly<Record<string, string | undefined>>
  /** @throws NodeJS.ErrnoException where the file cannot be read. */
  readFile(path: string): string
}

const source = namedSource('environment')
type Variable = (name: string, fallback?: string) => string

/** Reads and checks the variables. @throws ConfigError with everything that is wrong */
export function planAuthservice({ variables, readFile }: AuthserviceEnvironment): AuthservicePlan {
  const problems = new Problems()
  const variable: Variable = (name, fallback = '') => variables[name] || fallback
  const read = parseAuthserviceEnv(
    { values: variables, source },
    {
      cookieSecret: variable('GATEHOUSE_COOKIE_SECRET') || derivedCookieSecret(variable),
      ...{ problems, use: 'program', isInCluster: existsSync(defaultProxyConfig.kubernetes_token_file) },
    },
  )
  const trusted = read && withReadableAuthorities(read, { readFile, problems })
  const config = trusted && withUsableStore(trusted, variable, problems)
  const known = publicSecret(variable('CLIENT_SECRET'))
  if (known !== undefined) {
    problems.warn(source, ['CLIENT_SECRET'], `this secret is ${known}, so everyone knows it`, 'generate your own')
  }
  const ports = {
    check: port('SERVER_PORT', variable('SERVER_PORT', '8080'), problems),
    readiness: port('READINESS_PROBE_PORT', variable('READINESS_PROBE_PORT', '8081'), problems),
    pages: port('WEB_SERVER_PORT', variable('WEB_SERVER_PORT', '8082'), problems),
  }
  const logLevel = logLevelOf(variable('LOG_LEVEL', 'INFO'), problems)
  problems.throwIfAny()
  if (!config) throw new TypeError('a configuration that cannot be run has no problem')
  return { config, host: variable('SERVER_HOSTNAME') || undefined, ports, logLevel, warnings: problems.list }
}

function port(name: string, text: string, problems: Problems): number {
  const number = /^\d{1,5}$/.test(text) ? Number(text) : Number.NaN
  if (!(number <= 65_535)) problems.error(source, [name], `must be a port, got \`${text}\``)
  return number
}

/** logrus's levels; there is none above `error` here. */
const levels: Readonly<Record<string, LogLevel>> = {
  FATAL: 'error',
  ERROR: 'error',
  WARN: 'warn',
  INFO: 'info',
  DEBUG: 'debug',
}

function logLevelOf(text: string, problems: Problems): LogLevel {
  const level = Object.hasOwn(levels, text.toUpperCase()) ? levels[text.toUpperCase()] : undefined
  if (!level)
    problems.error(source, ['LOG_LEVEL'], `unknown level \`${text}\``, `write ${Object.keys(levels).join(', ')}`)
  return level ?? 'info'
}

/** A file without a certificate is passed over, as in the original: the charm mounts an empty one. */
function withReadableAuthorities(
  config: ProxyConfig,
  { readFile, problems }: Pick<AuthserviceEnvironment, 'readFile'> & { problems: Problems },
): ProxyConfig {
  const [file] = config.provider_ca_files
  if (file === undefined) return config
  try {
    if (readFile(file).includes('-----BEGIN CERTIFICATE-----')) return config
    problems.warn(source, ['CA_BUNDLE'], `\`${file}\` holds no certificate, so only the system's authorities count`)
  } catch {
    problems.error(source, ['CA_BUNDLE'], `\`${file}\` cannot be read`, 'correct the path, or its permissions')
  }
  return { ...config, provider_ca_files: [] }
}

/** Where nothing can be written, sessions are kept in memory: the original ends there. */
function withUsableStore(config: ProxyConfig, variable: Variable, problems: Problems): ProxyConfig {
  const { database_file: file } = config
  if (file === '') return config
  const bolt = boltFile(variable)
  if (existsSync(bolt)) {
    problems.warn(source, ['SESSION_STORE_PATH'], `the bolt file \`${bolt}\` is left alone; everybody signs in once`)
  }
  if (isWritable(file)) return config
  const message = `\`${dirname(file)}\` cannot be written, so sessions end with this process`
  problems.warn(source, ['SESSION_STORE_PATH'], message, 'mount a volume there, or use redis')
  return { ...config, database_file: '' }
}

function isWritable(file: string): boolean {
  try {
    accessSync(dirname(file), constants.W_OK | constants.X_OK) // SQLite keeps files beside its own
    if (existsSync(file)) accessSync(file, constants.W_OK)
    return true
  } catch {
    return false
  }
}
