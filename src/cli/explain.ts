import { existsSync } from 'node:fs'
import { isIP } from 'node:net'
import { resolve } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { type FoundDecision, findDecision } from '../app/decision-log.ts'
import { readChain, sourceAt } from '../app/explain-chain.ts'
import { explainDecision } from '../app/explain-decision.ts'
import { explainRequest, type Sender } from '../app/explain-request.ts'
import type { GatewayMode } from '../gateway/gateway-mode.ts'
import type { Explanation } from '../insight/explain/explanation.ts'
import { formatExplanation } from '../insight/explain/format.ts'
import { systemClock } from '../kit/clock.ts'
import { GatehouseError } from '../kit/errors.ts'
import { systemRandom } from '../kit/random.ts'
import type { Command, CommandInput } from './command.ts'
import { print, style } from './terminal.ts'

/** `gatehouse explain` */
export const explain: Command = {
  usage:
    '[METHOD] URL | --request ID [--as USER[,GROUP…] | --token T] [-H "name: value"]… [--from-ip A] [-f DIR] [--live URL] [--json]',
  summary: 'tell why a request is answered as it is, layer by layer, and the smallest change that would alter it',
  options: {
    file: {
      type: 'string',
      short: 'f',
      value: 'DIR',
      help: 'explain against a platform’s own files, or a gatehouse.yaml (default: the chain of `gatehouse up`)',
    },
    as: {
      type: 'string',
      value: 'USER,GROUP',
      help: 'as someone signed in, with these groups; needs no password or key',
    },
    token: { type: 'string', value: 'T', help: 'with this bearer token' },
    header: {
      type: 'string',
      short: 'H',
      isList: true,
      value: 'H',
      help: 'with this header, `name: value`; may be repeated',
    },
    'from-ip': { type: 'string', value: 'A', help: 'from this address (default 127.0.0.1)' },
    mode: {
      type: 'string',
      value: 'MODE',
      help: 'native or istio: as this gateway or as Istio itself decides (default: as the files say, else native)',
    },
    live: { type: 'string', value: 'URL', help: 'check signatures with the keys of the chain running there' },
    data: { type: 'string', value: 'DIR', help: 'data directory of a chain that has run here (default ./.gatehouse)' },
    request: { type: 'string', value: 'ID', help: 'explain a refusal of the running chain by the id its answer told' },
    json: { type: 'boolean', help: 'print JSON for tools' },
  },
  details: [
    '  Nothing needs to run: files are enough. Status: 0 the request passes, 3 it is refused,',
    '  1 the configuration is broken (every problem is listed), 2 called wrongly.',
  ].join('\n'),
  async run(input) {
    const { request } = input.options
    const explanation = typeof request === 'string' ? await explainId(request, input) : await explainUrl(input)
    if (input.options['json'] === true) print(JSON.stringify(explanation, null, 2))
    else print(...formatExplanation(explanation, style))
    return explanation.verdict.isAllowed ? 0 : 3
  },
}

async function explainId(id: string, { positionals, options, lists }: CommandInput): Promise<Explanation> {
  const extra = ['as', 'token', 'from-ip', 'live'].find((name) => options[name] !== undefined)
  if (positionals.length > 0 || extra || lists['header'])
    throw usage('--request explains what was sent: give no other request')
  const dataDirectory = resolve(String(options['data'] ?? '.gatehouse'))
  const found = await findRecent(dataDirectory, id)
  if (!found) {
    throw new GatehouseError(
      'unknown_request',
      `no refusal \`${id}\` in \`${dataDirectory}\`; only the last refusals (status 400 and above) of the gateway and the parts are kept, no app’s own, and --data names their directory`,
    )
  }
  const { decision, chain: deciding } = found
  const { file } = options
  const source = typeof file === 'string' ? sourceAt(resolve(file)) : deciding.source
  const chain = readChain({ ...deciding, source, dataDirectory, random: systemRandom })
  return explainDecision(decision, { chain, random: systemRandom })
}

/** The running chain writes its refusals down twice a second. */
async function findRecent(directory: string, id: string): Promise<FoundDecision | undefined> {
  const found = await findDecision(directory, id)
  if (found || !existsSync(directory)) return found
  await setTimeout(700)
  return findDecision(directory, id)
}

async function explainUrl(input: CommandInput): Promise<Explanation> {
  const { options, lists } = input
  const { method, url } = readRequestLine(input.positionals)
  const live = typeof options['live'] === 'string' ? originOf(options['live']) : undefined
  const file = options['file']
  const source = typeof file === 'string' ? sourceAt(resolve(file)) : { kind: 'default' as const }
  const publicUrl = live ?? url.origin ?? 'http://localhost:8080'
  const dataDirectory = resolve(String(options['data'] ?? '.gatehouse'))
  const chain = readChain({ source, publicUrl, dataDirectory, random: systemRandom })
  return explainRequest({
    chain,
    request: {
      method,
      target: url.target,
      host: url.host ?? new URL(chain.publicUrl).host,
      headers: (lists['header'] ?? []).map(parseHeader),
      peerAddress: readAddress(options['from-ip']),
    },
    mode: readMode(options['mode']),
    sender: readSender(options),
    live,
    clock: systemClock,
    random: systemRandom,
  })
}

interface AskedUrl {
  readonly origin: string | undefined
  readonly host: string | undefined
  /** As written: nothing is normalised before the gateway does. */
  readonly target: string
}

function readRequestLine(positionals: readonly string[]): { readonly method: string; readonly url: AskedUrl } {
  const [first = '', second] = positionals
  if (positionals.length === 0 || positionals.length > 2) throw usage('write: gatehouse explain [METHOD] URL')
  const [method, text] = second === undefined ? ['GET', first] : [first, second]
  if (!/^[A-Z][A-Z-]*$/.test(method)) throw usage(`the method comes first, in capitals, got \`${method}\``)
  return { method, url: parseUrl(text) }
}

function parseUrl(text: string): AskedUrl {
  const [target = ''] = text.replace(/^https?:\/\/[^/?#]*/i, '').split('#')
  const origin = /^(https?:\/\/[^/?#]+)/i.exec(text)?.[1]
  if (origin === undefined && !text.startsWith('/')) {
    throw usage(`\`${text}\` is no URL; write https://host/path, or /path`)
  }
  if (origin !== undefined && !URL.canParse(origin)) throw usage(`\`${origin}\` names no host`)
  if (/[^\x21-\x7e]/.test(target)) throw usage('write spaces and other characters of the URL percent-encoded')
  const rooted = target.startsWith('/') ? target : `/${target}`
  return { origin: origin && new URL(origin).origin, host: origin?.replace(/^https?:\/\//i, ''), target: rooted }
}

function readSender({ as, token }: CommandInput['options']): Sender {
  if (as !== undefined && token !== undefined) throw usage('give --as or --token, not both')
  if (typeof token === 'string') return { kind: 'identity', identity: { kind: 'token', token } }
  if (typeof as !== 'string') return { kind: 'anonymous' }
  const [user = '', ...groups] = as.split(',').map((part) => part.trim())
  if (user === '') throw usage('--as needs a user, e.g. ada@example.com,team-a')
  return { kind: 'user', user, groups }
}

function readAddress(address: CommandInput['options'][string]): string {
  if (address === undefined) return '127.0.0.1'
  if (typeof address === 'string' && isIP(address) !== 0) return address
  throw usage(`--from-ip must be an IP address, got \`${address}\``)
}

function readMode(mode: CommandInput['options'][string]): GatewayMode | undefined {
  if (mode === undefined || mode === 'native' || mode === 'istio') return mode
  throw usage(`--mode must be native or istio, got \`${mode}\``)
}

function parseHeader(text: string): readonly [name: string, value: string] {
  const colon = text.indexOf(':')
  const name = text.slice(0, Math.max(0, colon)).trim()
  if (!/^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/.test(name)) throw usage('-H needs `name: value`')
  return [name, text.slice(colon + 1).trim()]
}

function originOf(text: string): string {
  const url = URL.parse(text)
  if (!url || !/^https?:$/.test(url.protocol))
    throw usage(`--live needs a URL such as http://localhost:8080, got \`${text}\``)
  return url.origin
}

function usage(message: string): GatehouseError {
  return new GatehouseError('usage', message)
}
