/**
 * Room `cli`: one file per command and `index.ts`, the table of them. It reads arguments, prints for people, and leaves
 * everything else to `app`.
 */
import { type ParseArgsOptionsConfig, parseArgs } from 'node:util'
import { GatehouseError } from '../kit/errors.ts'
import { nearestName } from '../kit/problems.ts'

/** One option of a command, as `--help` tells it. */
export interface OptionHelp {
  readonly type: 'string' | 'boolean'
  /** The word for its value in the usage line. */
  readonly value?: string
  readonly help: string
  /** One letter: `f` for `-f`. */
  readonly short?: string
  /** May be given several times; its values are in `lists`. */
  readonly isList?: true
}

/** What a command is called with. */
export interface CommandInput {
  readonly positionals: readonly string[]
  readonly options: Readonly<Record<string, string | boolean | undefined>>
  /** The values of options that may be given several times; those not given are not in it. */
  readonly lists: Readonly<Record<string, readonly string[]>>
}

/** A command of `gatehouse`. */
export interface Command {
  /** After `gatehouse <name>`. */
  readonly usage: string
  readonly summary: string
  readonly options: Readonly<Record<string, OptionHelp>>
  /** Details for `gatehouse <name> --help`. */
  readonly details?: string
  /** It takes the arguments as they are, `--help` among them, as `positionals`: another program's command line. */
  readonly readsArguments?: true
  /** @returns the exit status. */
  run(input: CommandInput): Promise<number>
}

/** @throws GatehouseError `usage` naming the option that is not known, or lacks its value. */
export function parseCommandLine(command: Command, args: readonly string[]): CommandInput {
  const options: ParseArgsOptionsConfig = Object.fromEntries(
    Object.entries(command.options).map(([name, { type, short, isList = false }]) => [
      name,
      { type, multiple: isList, ...(short === undefined ? {} : { short }) },
    ]),
  )
  try {
    const { values, positionals } = parseArgs({ args: [...args], options, allowPositionals: true, strict: true })
    const [lists, single] = partition(Object.entries(values), ([, value]) => Array.isArray(value))
    // declared above as strings and booleans, or as lists of strings
    return {
      positionals,
      options: Object.fromEntries(single) as CommandInput['options'],
      lists: Object.fromEntries(lists) as CommandInput['lists'],
    }
  } catch (cause) {
    throw usageError(command, args, cause)
  }
}

function partition<Item>(items: readonly Item[], isFirst: (item: Item) => boolean): [Item[], Item[]] {
  return [items.filter(isFirst), items.filter((item) => !isFirst(item))]
}

function usageError(command: Command, args: readonly string[], cause: unknown): GatehouseError {
  const known = Object.keys(command.options).map((name) => `--${name}`)
  const unknown = args.find((arg) => arg.startsWith('--') && !known.includes(arg.split('=')[0] ?? ''))
  if (unknown === undefined) {
    const message = cause instanceof Error ? cause.message : String(cause)
    return new GatehouseError(
      'usage',
      message.replace(/^./, (first) => first.toLowerCase()),
      { cause },
    )
  }
  const near = nearestName(unknown, known)
  const hint = near ? `; did you mean \`${near}\`?` : ''
  const all = known.length > 0 ? `known: ${known.join(', ')}` : 'it takes none'
  return new GatehouseError('usage', `unknown option \`${unknown}\`${hint} (${all})`)
}

/** The text of `gatehouse <name> --help`. */
export function commandHelp(name: string, { usage, summary, options, details }: Command): string {
  const rows = Object.entries(options).map(([option, { value, help, short }]) => {
    const flag = `${short === undefined ? '' : `-${short}, `}--${option}${value === undefined ? '' : ` ${value}`}`
    return `  ${flag.padEnd(22)} ${help}`
  })
  return [
    `gatehouse ${name} ${usage}`.trimEnd(),
    '',
    `  ${summary}`,
    ...(details === undefined ? [] : ['', details]),
    '',
    'Options',
    ...rows,
    `  ${'--help'.padEnd(22)} show this`,
    '',
  ].join('\n')
}
