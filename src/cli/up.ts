import { resolve } from 'node:path'
import process from 'node:process'
import type { ChainSource } from '../app/plan-chain.ts'
import { type RunningGatehouse, type StartOptions, startGatehouse } from '../app/start-gatehouse.ts'
import type { GatewayMode } from '../gateway/gateway-mode.ts'
import { fail, GatehouseError } from '../kit/errors.ts'
import type { LogLevel } from '../kit/log.ts'
import type { Command, CommandInput } from './command.ts'
import { openBrowser } from './open-browser.ts'
import { print, style } from './terminal.ts'
import { upSummary } from './up-summary.ts'

const logLevels: readonly LogLevel[] = ['debug', 'info', 'warn', 'error']

/** `gatehouse up` */
export const up: Command = {
  usage: '[--port N] [--data DIR] [--domain HOST] [--from DIR [--keep URL] | --config FILE] [--open] [--reset]',
  summary: 'run the whole sign-in chain in one process: realm, broker, proxy, gateway, portal and two demo apps',
  options: {
    port: { type: 'string', value: 'N', help: 'listen on this port, or the next free one (default 8080)' },
    data: { type: 'string', value: 'DIR', help: 'keep database and secrets here (default ./.gatehouse)' },
    domain: {
      type: 'string',
      value: 'HOST',
      help: 'the host browsers use, e.g. kubeflow.example.com behind a TLS terminator',
    },
    from: {
      type: 'string',
      value: 'DIR',
      help: 'run from a platform’s own files: Dex, oauth2-proxy, Istio, realm, authservice',
    },
    keep: {
      type: 'string',
      value: 'URL',
      help: 'with --from: a server of the platform that goes on, such as its Keycloak; may be repeated',
      isList: true,
    },
    config: { type: 'string', value: 'FILE', help: 'run from a gatehouse.yaml, which names its own address and data' },
    mode: {
      type: 'string',
      value: 'MODE',
      help: 'istio: the gateway decides as Istio does to the letter, holes included (default native)',
    },
    open: { type: 'boolean', help: 'open the portal in a browser' },
    reset: { type: 'boolean', help: 'start over: forget users, sessions, keys and secrets first' },
    'log-level': {
      type: 'string',
      value: 'LEVEL',
      help: 'debug, info, warn (default) or error, as JSON lines on stderr',
    },
  },
  details: [
    '  The first run creates the data directory and prints the passwords of two demo users, once.',
    '  With --domain the public address is https://HOST (or the URL given) and Gatehouse listens on',
    '  every interface; without, only this machine can reach it. Ctrl-C stops cleanly.',
  ].join('\n'),
  async run(input) {
    const options = readOptions(input)
    const running = await startGatehouse(options)
    print(...upSummary(running, options))
    if (input.options['open'] === true) openBrowser(running.publicUrl)
    await untilStopped(running)
    return 0
  },
}

function readOptions({ positionals, options, lists }: CommandInput): StartOptions {
  if (positionals.length > 0) {
    throw new GatehouseError('usage', `\`up\` takes no argument, got \`${positionals[0]}\`; see gatehouse up --help`)
  }
  const { data = '.gatehouse', domain, port } = options
  return {
    source: readSource(options, lists['keep'] ?? []),
    port: typeof port === 'string' ? parsePort(port) : undefined,
    dataDirectory: resolve(String(data)),
    publicUrl: typeof domain === 'string' ? parseDomain(domain) : undefined,
    gatewayMode: parseMode(options['mode']),
    reset: options['reset'] === true,
    logLevel: parseLogLevel(options['log-level'] ?? 'warn'),
  }
}

function parseMode(mode: CommandInput['options'][string]): GatewayMode | undefined {
  if (mode === undefined || mode === 'native' || mode === 'istio') return mode
  throw new GatehouseError('usage', `--mode must be native or istio, got \`${mode}\``)
}

function readSource(
  { from, config, data, domain, mode }: CommandInput['options'],
  keep: readonly string[],
): ChainSource {
  if (keep.length > 0 && typeof from !== 'string') {
    throw new GatehouseError('usage', '--keep goes with --from: it names a server that the files of a platform name')
  }
  if (typeof config !== 'string') {
    if (typeof from !== 'string') return { kind: 'default' }
    return { kind: 'directory', path: resolve(from), kept: keep.map(parseKept) }
  }
  const clash = Object.entries({ from, data, domain, mode }).find(([, value]) => value !== undefined)
  if (clash) throw new GatehouseError('usage', `--${clash[0]} does not go with --config: the file says it`)
  return { kind: 'file', path: resolve(config) }
}

function parseLogLevel(text: string | boolean): LogLevel {
  const level = logLevels.find((one) => one === text)
  return level ?? fail('usage', `--log-level must be one of ${logLevels.join(', ')}, got \`${text}\``)
}

function parsePort(text: string): number {
  const port = /^\d{1,5}$/.test(text) ? Number(text) : Number.NaN
  if (!(port <= 65_535)) throw new GatehouseError('usage', `--port must be a number from 0 to 65535, got \`${text}\``)
  return port
}

/** The origin of any address of it, such as an issuer. */
function parseKept(text: string): string {
  const url = URL.parse(text)
  if (url?.protocol !== 'https:' && url?.protocol !== 'http:') {
    throw new GatehouseError('usage', `--keep must be an address such as https://keycloak.example.com, got \`${text}\``)
  }
  return url.origin
}

/** A host name means https behind a TLS terminator; a whole origin is taken as it is. */
function parseDomain(text: string): string {
  const url = URL.parse(/^https?:\/\//.test(text) ? text : `https://${text}`)
  if (url?.pathname !== '/' || url.search !== '' || url.hash !== '' || url.username !== '') {
    throw new GatehouseError(
      'usage',
      `--domain must be a host or an origin such as https://kubeflow.example.com, got \`${text}\``,
    )
  }
  return url.origin
}

/** Waits for Ctrl-C or a TERM, then stops; a second one stops at once. */
function untilStopped(running: RunningGatehouse): Promise<void> {
  return new Promise((settle) => {
    let isStopping = false
    const stop = () => {
      if (isStopping) process.exit(130)
      isStopping = true
      print('', style.dim('Stopping …'))
      void running.close().then(() => {
        print(style.dim('Stopped. Users and sessions are kept; start again with the same command.'))
        settle()
      })
    }
    process.on('SIGINT', stop)
    process.on('SIGTERM', stop)
  })
}
