import { nearestName } from '../kit/problems.ts'
import { flagOf, type ProxyKeyName, proxyKeyNames, proxyKeys } from './keys.ts'
import { kindExpectations, weakValue } from './weak-values.ts'

/** Flags that are no configuration key (oauth2-proxy main.go). */
const commandFlags = ['config', 'alpha-config', 'convert-config-to-alpha', 'config-test', 'version', 'help'] as const

/** oauth2-proxy's command line taken apart. */
export interface ProxyFlags {
  readonly values: ReadonlyMap<ProxyKeyName, string | readonly string[]>
  /** `--config FILE`, `--config-test`, …; `true` where the flag has no value. */
  readonly commands: Partial<Readonly<Record<(typeof commandFlags)[number], string | true>>>
  /** Flags that are not known, or whose value does not fit. */
  readonly unknown: readonly { readonly flag: string; readonly message: string; readonly fix?: string }[]
  /** Arguments that are no flags; the original passes them over. */
  readonly stray: readonly string[]
}

const namesByFlag: ReadonlyMap<string, ProxyKeyName> = new Map(
  [...proxyKeyNames].reverse().map((name) => [flagOf(name), name]),
)

/**
 * Reads flags the way pflag does: `--flag value`, `--flag=value`, bare `--flag` for booleans, lists by repetition, `--` as
 * the end. Values are typed strictly here, while files and variables are read weakly. One dash does for two.
 */
export function parseProxyFlags(argv: readonly string[]): ProxyFlags {
  const values = new Map<ProxyKeyName, string | readonly string[]>()
  const commands: Record<string, string | true> = {}
  const unknown: ProxyFlags['unknown'][number][] = []
  const stray: string[] = []
  const rest = [...argv]
  for (let argument = rest.shift(); argument !== undefined && argument !== '--'; argument = rest.shift()) {
    const match = /^--?([^=-][^=]*)(?:=(.*))?$/s.exec(argument)
    if (!match) {
      stray.push(argument)
      continue
    }
    const [, word = '', inline] = match
    const name = namesByFlag.get(`--${word}`)
    const command = commandFlags.find((flag) => flag === word)
    if (name === undefined && command === undefined) {
      unknown.push({ flag: `--${word}`, message: `unknown flag \`--${word}\``, ...suggestion(word) })
      continue
    }
    const needsValue = name === undefined ? valuedCommands.has(word) : isValued(name)
    const value = inline ?? (needsValue ? rest.shift() : 'true')
    const fault = value === undefined ? 'needs a value' : faultOf(name, value)
    if (fault !== undefined || value === undefined) {
      unknown.push({ flag: `--${word}`, message: `flag \`--${word}\` ${fault}` })
    } else if (name !== undefined) {
      values.set(name, proxyKeys[name].kind === 'list' ? joined(values.get(name), value) : value)
    } else if (needsValue) commands[word] = value
    else if (/^(?:1|t|true)$/i.test(value)) commands[word] = true
  }
  return { values, commands, unknown, stray }
}

const valuedCommands: ReadonlySet<string> = new Set(['config', 'alpha-config'])
/** Switches whose flags the original registers as texts, so that they take a value (legacy_options.go). */
const textFlags: ReadonlySet<ProxyKeyName> = new Set([
  'google_use_application_default_credentials',
  'google_use_organization_id',
])

function isValued(name: ProxyKeyName): boolean {
  return proxyKeys[name].kind !== 'bool' || textFlags.has(name)
}

function faultOf(name: ProxyKeyName | undefined, value: string): string | undefined {
  if (name === undefined || textFlags.has(name)) return undefined
  const { kind } = proxyKeys[name]
  const isEmptyNumber = value === '' && (kind === 'bool' || kind === 'int')
  const isRead = !isEmptyNumber && weakValue(kind, value) !== undefined
  return isRead ? undefined : `must be ${kindExpectations[kind]}, got \`${value}\``
}

function suggestion(word: string): { fix?: string } {
  const near = nearestName(`--${word}`, [...namesByFlag.keys(), ...commandFlags.map((flag) => `--${flag}`)])
  return near === undefined ? {} : { fix: `did you mean \`${near}\`?` }
}

function joined(before: string | readonly string[] | undefined, value: string): readonly string[] {
  return [...(typeof before === 'object' ? before : []), ...splitCsv(value)]
}

/** One line of CSV (RFC 4180), which is how pflag splits a list flag: quotes keep a comma. */
function splitCsv(line: string): string[] {
  if (line === '') return []
  if (!line.includes('"')) return line.split(',')
  return [...line.matchAll(/(?:^|,)(?:"((?:[^"]|"")*)"|([^,]*))/g)].map(
    ([, quoted, plain]) => quoted?.replaceAll('""', '"') ?? plain ?? '',
  )
}
