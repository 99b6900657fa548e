import { fileText, positionsOf, type SourceText } from '../../config/source-text.ts'
import { parseToml } from '../../config/toml-source.ts'
import { parseYaml } from '../../config/yaml-source.ts'
import { fail } from '../../kit/errors.ts'
import { namedSource, type Problems } from '../../kit/problems.ts'
import { alphaOf } from '../../proxy/alpha/alpha-of-config.ts'
import { checkAlpha } from '../../proxy/alpha/check-alpha.ts'
import { readAlpha } from '../../proxy/alpha/read-alpha.ts'
import { substituteVariables } from '../../proxy/alpha/substitute-variables.ts'
import type { ProxyConfig } from '../../proxy/config.ts'
import { parseProxyOptions } from '../../proxy/options.ts'

/** Where `gatehouse oauth2-proxy` takes its configuration from. */
export interface ConfigurationSources {
  /** The command line behind the program's name. */
  readonly flags: readonly string[]
  readonly configFile: string | undefined
  readonly alphaFile: string | undefined
  readonly variables: Readonly<Record<string, string | undefined>>
  /** @throws NodeJS.ErrnoException where the file cannot be read. */
  readFile(path: string): string
  /** Only reads: what can be read is taken, whether or not it can be run. */
  readonly isUnchecked?: true
}

/**
 * Reads the configuration of oauth2-proxy from where it is given: flags, variables, TOML and the alpha file. What is
 * wrong goes to `problems`; `undefined` where it cannot be run. @throws GatehouseError `config` for a file that is not
 * there, or an upstream that is no URL.
 */
export function readConfiguration(sources: ConfigurationSources, problems: Problems): ProxyConfig | undefined {
  const { flags, configFile, alphaFile, variables, isUnchecked = false } = sources
  const toml = configFile === undefined ? undefined : parseToml(textOf(configFile, sources), problems)
  const alpha = alphaFile === undefined ? undefined : readAlphaFile(textOf(alphaFile, sources), variables, problems)
  if (problems.hasErrors) return undefined
  const config = parseProxyOptions({
    ...(toml ? { toml } : {}),
    ...(alpha ? { alpha } : {}),
    env: { values: variables },
    flags,
    problems,
    use: isUnchecked ? 'conversion' : 'program',
  })
  if (config && !isUnchecked) {
    checkTrust(config, problems)
    checkMinimalSessions(config, problems)
    const source = alpha?.source ?? namedSource('oauth2-proxy')
    checkAlpha(alphaOf(config), (path, message) => problems.error(source, path, message))
  }
  return problems.hasErrors ? undefined : config
}

const reasons: Readonly<Record<string, string>> = {
  ENOENT: 'no such file or directory',
  EACCES: 'permission denied',
  EISDIR: 'is a directory',
}

function textOf(path: string, { readFile }: ConfigurationSources): SourceText {
  try {
    return fileText(path, readFile(path))
  } catch (cause) {
    const { code = '' } = cause as NodeJS.ErrnoException
    return fail('config', `unable to load config file: open ${path}: ${reasons[code] ?? code}`, { cause })
  }
}

function readAlphaFile(text: SourceText, variables: ConfigurationSources['variables'], problems: Problems) {
  const filled = substituteVariables(text.text, variables)
  if ('problem' in filled) {
    const { line, column } = positionsOf(text.text)(filled.offset)
    problems.list.push({ severity: 'error', file: text.file, line, column, path: '', message: filled.problem })
    return undefined
  }
  const document = parseYaml({ ...text, text: filled.text }, problems)
  if (!document) return undefined
  const options = readAlpha(document, problems)
  return options && { options, source: document.source }
}

/** A session without tokens cannot fill headers with them (oauth2-proxy pkg/validation/sessions.go). */
function checkMinimalSessions(config: ProxyConfig, problems: Problems): void {
  if (!config.session_cookie_minimal) return
  const { injectRequestHeaders, injectResponseHeaders } = alphaOf(config)
  for (const { name, values } of [...injectRequestHeaders, ...injectResponseHeaders]) {
    const claim = values.map(({ claimSource }) => claimSource?.claim).find((one) => one?.endsWith('_token'))
    if (claim === undefined) continue
    problems.error(
      namedSource('oauth2-proxy'),
      ['session_cookie_minimal'],
      `${claim} claim for header \`${name}\` requires oauth tokens in sessions, so session_cookie_minimal cannot be set`,
      'set it to false, or leave the header out',
    )
  }
}

/**
 * Whoever sends `X-Forwarded-Uri` or `X-Real-IP` chooses what is judged; believing everybody by default was the hole of
 * CVE-2026-40575, so the original's default has to be asked for.
 */
function checkTrust(config: ProxyConfig, problems: Problems): void {
  const exempting = (['skip_auth_routes', 'skip_auth_regex', 'trusted_ips'] as const).filter(
    (key) => config[key].length > 0,
  )
  if (!config.reverse_proxy || config.trusted_proxy_ips.length > 0 || config.compat || exempting.length === 0) return
  problems.error(
    namedSource('oauth2-proxy'),
    ['trusted_proxy_ips'],
    `is empty while reverse_proxy is on and ${exempting.join(', ')} let requests in by what a header says`,
    'list the addresses of your proxies, or believe everybody, as oauth2-proxy does, with --compat',
  )
}
