import { readFileSync } from 'node:fs'
import process from 'node:process'
import { settleMemory } from '../app/settle-memory.ts'
import { formatGoDuration } from '../kit/duration.ts'
import { GatehouseError } from '../kit/errors.ts'
import { silentLog } from '../kit/log.ts'
import { systemRandom } from '../kit/random.ts'
import type { ProxyConfig } from '../proxy/config.ts'
import { type ProxyFlags, parseProxyFlags } from '../proxy/flags.ts'
import { flagOf, type ProxyKey, proxyKeyNames, proxyKeys } from '../proxy/keys.ts'
import type { Command } from './command.ts'
import { stopSignal } from './stop-signal.ts'
import { productVersion } from './version.ts'

/** `gatehouse oauth2-proxy`: takes oauth2-proxy's own command line, to the flag. */
export const oauth2Proxy: Command = {
  usage: '[--config FILE] [--alpha-config FILE] [FLAGS]',
  summary: 'run in place of oauth2-proxy, with its configuration',
  options: {},
  readsArguments: true,
  async run({ positionals: argv }) {
    const parsed = parseProxyFlags(argv.map((argument) => (argument === '-h' ? '--help' : argument)))
    const { commands, unknown } = parsed
    if (commands['help']) return tell(await flagsHelp())
    if (unknown.length > 0) return complainOfFlags(unknown)
    if (commands['version'])
      return tell(`oauth2-proxy ${productVersion()} (gatehouse, Node ${process.versions.node})\n`)
    return settle(argv, parsed)
  },
}

async function settle(argv: readonly string[], flags: ProxyFlags): Promise<number> {
  const { settleCommandLine } = await import('../app/oauth2-proxy/command-line.ts')
  const readFile = (path: string) => readFileSync(path, 'utf8')
  const outcome = settleCommandLine({ argv, flags, variables: process.env, readFile })
  if (outcome.kind === 'end') {
    const problem = outcome.needsRedis && (await redisProblem(outcome.needsRedis))
    process.stderr.write(outcome.stderr + (problem === undefined ? '' : `ERROR: ${problem}\n`))
    if (problem !== undefined) return 1
    process.stdout.write(outcome.stdout)
    return outcome.status
  }
  const { startOauth2Proxy } = await import('../app/oauth2-proxy/start-oauth2-proxy.ts')
  try {
    const running = await startOauth2Proxy(outcome.plan)
    settleMemory()
    await stopSignal()
    await running.close()
    return 0
  } catch (error) {
    if (!(error instanceof GatehouseError)) throw error
    process.stderr.write(`ERROR: Failed to initialise OAuth2 Proxy: ${error.message}\n`)
    return 1
  }
}

/** What keeps the configured Redis from being used; `undefined` for nothing. */
async function redisProblem(config: ProxyConfig): Promise<string | undefined> {
  const { checkRedis } = await import('../proxy/sessions/redis-readiness.ts')
  try {
    await checkRedis(config, { random: systemRandom, log: silentLog })
    return undefined
  } catch (error) {
    if (!(error instanceof GatehouseError)) throw error
    return error.message
  }
}

function tell(text: string): number {
  process.stdout.write(text)
  return 0
}

/** A wrong flag ends the original with status 2, below its list of all flags. */
function complainOfFlags(unknown: ProxyFlags['unknown']): number {
  for (const { message, fix } of unknown) process.stderr.write(`${message}${fix === undefined ? '' : `; ${fix}`}\n`)
  process.stderr.write('gatehouse oauth2-proxy --help lists all flags\n')
  return 2
}

const commandFlags: readonly (readonly [flag: string, help: string])[] = [
  ['--config string', 'path to config file'],
  ['--alpha-config string', 'path to alpha config file'],
  ['--config-test', 'test the configuration and exit'],
  ['--convert-config-to-alpha', 'print the alpha config file that says the same as this configuration'],
  ['--version', 'print version string'],
]

const goTypes: Readonly<Record<ProxyKey['kind'], string>> = {
  string: ' string',
  bool: '',
  int: ' int',
  duration: ' duration',
  list: ' strings',
}

async function flagsHelp(): Promise<string> {
  const { keyDescriptions } = await import('../proxy/key-descriptions.ts')
  const rows = proxyKeyNames
    .map((name): readonly [string, string] => {
      const key: ProxyKey = proxyKeys[name]
      return [`${flagOf(name)}${goTypes[key.kind]}`, `${keyDescriptions[name]} ${notesOf(key)}`]
    })
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
  const lines = [...commandFlags, ...rows].map(([flag, help]) => `  ${flag.padEnd(48)} ${help}`.trimEnd())
  return ['Usage of gatehouse oauth2-proxy:', ...lines, ''].join('\n')
}

/** The default, and why the key has no effect. */
function notesOf({ default: fallback, ignored, kind }: ProxyKey): string {
  const shown = kind === 'duration' && typeof fallback === 'number' ? formatGoDuration(fallback) : String(fallback)
  const isZero = shown === '' || shown === 'false' || shown === '0'
  return [isZero ? '' : `(default ${shown})`, ignored && !ignored.inChain ? `[${ignored.reason}]` : '']
    .filter(Boolean)
    .join(' ')
}
