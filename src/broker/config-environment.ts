import type { DocumentPath, Problems, Source } from '../kit/problems.ts'
import { expandEnv } from './expand-env.ts'

type Environment = Readonly<Record<string, string | undefined>>

interface Place {
  readonly env: Environment
  readonly source: Source
  readonly problems: Problems
}

/** Settings that Dex expands variables in (dex cmd/dex/config.go: storage, connectors and signer only). */
const expandedAreas: readonly (readonly string[])[] = [
  ['storage', 'config'],
  ['connectors', '*', 'config'],
  ['signer', 'config'],
]

/** Settings that may be named by a variable instead: `<list>[].<key>Env`. */
const references = [
  { list: 'staticClients', key: 'id', variable: 'idEnv' },
  { list: 'staticClients', key: 'secret', variable: 'secretEnv' },
  { list: 'staticPasswords', key: 'hash', variable: 'hashFromEnv' },
] as const

/**
 * A Dex document with its environment references replaced by their values. `DEX_EXPAND_ENV=false` leaves `$` alone.
 * A variable that is not set is an error that names it.
 */
export function resolveEnvironment(document: unknown, place: Place): unknown {
  let value = document
  if (isExpanding(place.env)) {
    for (const area of expandedAreas) value = mapAt(value, area, [], (part, path) => expandStrings(part, path, place))
  }
  for (const reference of references) {
    value = mapAt(value, [reference.list, '*'], [], (item, path) =>
      resolveReference(item, path, { ...place, reference }),
    )
  }
  return value
}

function isExpanding({ DEX_EXPAND_ENV: flag }: Environment): boolean {
  return !['0', 'f', 'F', 'false', 'FALSE', 'False'].includes(flag ?? '') // Go strconv.ParseBool; unreadable is the default
}

function expandStrings(value: unknown, path: DocumentPath, place: Place): unknown {
  if (typeof value === 'string') return expandString(value, path, place)
  if (Array.isArray(value)) return value.map((item, index) => expandStrings(item, [...path, index], place))
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value).map(([key, member]) => [key, expandStrings(member, [...path, key], place)]),
  )
}

function expandString(text: string, path: DocumentPath, { env, source, problems }: Place): string {
  const { text: expanded, missing } = expandEnv(text, env)
  for (const name of missing) {
    const message = `the environment variable \`${name}\` is not set`
    if (/^\$(\w+|\{\w+\})$/.test(text)) problems.error(source, path, message, 'set it, or write the value')
    else
      problems.warn(
        source,
        path,
        `${message}, so \`$${name}\` vanishes`,
        'set it; DEX_EXPAND_ENV=false keeps every `$`',
      )
  }
  return expanded
}

function resolveReference(
  item: unknown,
  path: DocumentPath,
  { env, source, problems, reference }: Place & { reference: (typeof references)[number] },
): unknown {
  if (!isObject(item)) return item
  const entry = entryOf(item, reference.variable)
  if (!entry || entry.value === null || entry.value === undefined || entry.value === '')
    return without(item, entry?.key)
  const at = [...path, entry.key]
  if (entryOf(item, reference.key)?.value) {
    if (reference.key === 'hash') return without(item, entry.key) // Dex prefers `hash` without a word
    problems.error(source, at, `both \`${reference.key}\` and \`${reference.variable}\` are set`, 'keep one of them')
    return without(item, entry.key)
  }
  const name = String(entry.value)
  const value = env[name]
  if (value === undefined || value === '') {
    const what = value === undefined ? 'not set' : 'empty'
    problems.error(
      source,
      at,
      `the environment variable \`${name}\` is ${what}`,
      'set it; Dex would go on with nothing',
    )
  }
  // An unset variable has been reported: the placeholder only keeps the same mistake from being told twice.
  return { ...without(item, entry.key), [reference.key]: value || unsetValues[reference.key] }
}

/** What stands for a variable that is not set, so that the rest can be judged. */
export const unsetValues = {
  id: 'unset',
  secret: 'unset',
  hash: '$2b$10$xYCn4ZbqWaUXna05GJ.ge.niz1Oz989smfwAH4TZkVAsUP27FjH3S',
}

function without(item: object, key: string | undefined): Record<string, unknown> {
  return Object.fromEntries(Object.entries(item).filter(([name]) => name !== key))
}

/** Applies `change` to the parts of `value` that `pattern` (keys in any case, `*` for every item) leads to. */
function mapAt(
  value: unknown,
  pattern: readonly string[],
  path: DocumentPath,
  change: (part: unknown, path: DocumentPath) => unknown,
): unknown {
  const [step, ...rest] = pattern
  if (step === undefined) return change(value, path)
  if (step === '*') {
    return Array.isArray(value) ? value.map((item, index) => mapAt(item, rest, [...path, index], change)) : value
  }
  if (!isObject(value)) return value
  const entry = entryOf(value, step)
  return entry ? { ...value, [entry.key]: mapAt(entry.value, rest, [...path, entry.key], change) } : value
}

function entryOf(value: object, name: string): { key: string; value: unknown } | undefined {
  const found = Object.entries(value).find(([key]) => key.toLowerCase() === name.toLowerCase())
  return found && { key: found[0], value: found[1] }
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
