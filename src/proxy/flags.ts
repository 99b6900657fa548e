import { nearestName } from '../kit/problems.ts'
import { flagOf, type ProxyKeyName, proxyKeyNames, proxyKeys } from './keys.ts'

/** Flags that are no configuration key (oauth2-proxy main.go). */
const commandFlags = ['config', 'alpha-config', 'convert-config-to-alpha', 'config-test', 'version'] as const

/** oauth2-proxy's command line taken apart. */
export interface ProxyFlags {
  readonly values: ReadonlyMap<ProxyKeyName, string | readonly string[]>
  /** `--config FILE`, `--config-test`, …; `true` where the flag has no value. */
  readonly commands: Partial<Readonly<Record<(typeof commandFlags)[number], string | true>>>
  readonly unknown: readonly { readonly flag: string; readonly message: string; readonly fix?: string }[]
}

const namesByFlag: ReadonlyMap<string, ProxyKeyName> = new Map(
  [...proxyKeyNames].reverse().map((name) => [flagOf(name), name]),
)

/** Reads flags the way pflag does: `--flag value`, `--flag=value`, bare `--flag` for booleans, lists by repetition. */
export function parseProxyFlags(argv: readonly string[]): ProxyFlags {
  const values = new Map<ProxyKeyName, string | readonly string[]>()
  const commands: Record<string, string | true> = {}
  const unknown: { flag: string; message: string; fix?: string }[] = []
  const rest = [...argv]
  for (let argument = rest.shift(); argument !== undefined; argument = rest.shift()) {
    const match = /^--?([^=]+)(?:=(.*))?$/s.exec(argument)
    if (!match) {
      unknown.push({ flag: argument, message: `unexpected argument \`${argument}\`` })
      continue
    }
    const [, word = '', inline] = match
    const name = namesByFlag.get(`--${word}`)
    const needsValue = name === undefined ? word.endsWith('config') : proxyKeys[name].kind !== 'bool'
    if (name === undefined && !commandFlags.some((flag) => flag === word)) {
      unknown.push({ flag: `--${word}`, message: `unknown flag \`--${word}\``, ...suggestion(word) })
      continue
    }
    const value = inline ?? (needsValue ? rest.shift() : 'true')
    if (value === undefined) unknown.push({ flag: `--${word}`, message: `flag \`--${word}\` needs a value` })
    else if (name === undefined) commands[word] = needsValue ? value : true
    else values.set(name, proxyKeys[name].kind === 'list' ? joined(values.get(name), value) : value)
  }
  return { values, commands, unknown }
}

function suggestion(word: string): { fix?: string } {
  const near = nearestName(`--${word}`, [...namesByFlag.keys()])
  return near === undefined ? {} : { fix: `did you mean \`${near}\`?` }
}

function joined(before: string | readonly string[] | undefined, value: string): readonly string[] {
  return [...(typeof before === 'object' ? before : []), ...splitCsv(value)]
}

/** One line of CSV (RFC 4180), which is how pflag splits a list flag: quotes keep a comma. */
function splitCsv(line: string): string[] {
  if (!line.includes('"')) return line.split(',')
  return [...line.matchAll(/(?:^|,)(?:"((?:[^"]|"")*)"|([^,]*))/g)].map(
    ([, quoted, plain]) => quoted?.replaceAll('""', '"') ?? plain ?? '',
  )
}
