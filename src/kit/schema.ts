import type { z } from 'zod'
import { type DocumentPath, nearestName, type Problems, type Source } from './problems.ts'

/**
 * Reads an unknown value with a zod schema. Every issue becomes a problem at its place in `source` (`base` is the path
 * of `value` inside it). Returns `undefined` when the value does not fit.
 */
export function parseWith<Schema extends z.ZodType>(
  schema: Schema,
  value: unknown,
  { source, problems, base = [] }: { source: Source; problems: Problems; base?: DocumentPath },
): z.output<Schema> | undefined {
  const result = schema.safeParse(value)
  if (result.success) return result.data
  for (const issue of result.error.issues) {
    const path = [...base, ...issue.path.map((step) => (typeof step === 'number' ? step : String(step)))]
    if (issue.code === 'unrecognized_keys') {
      for (const key of issue.keys)
        problems.error(source, [...path, key], `unknown key \`${key}\``, didYouMean(key, schemaAt(schema, issue.path)))
      continue
    }
    problems.error(source, path, inOurWords(issue.message))
  }
  return undefined
}

/** What zod says of a value of the wrong kind or size. */
function inOurWords(message: string): string {
  const [, expected = '', received] = /^Invalid input: expected (\w+), received (\w+)$/.exec(message) ?? []
  if (received === 'undefined') return 'is missing'
  if (received !== undefined) return `must be ${kinds[expected] ?? expected}, got ${kinds[received] ?? received}`
  const [, size, bound] = /^Too (big|small): expected number to be [<>]=(\S+)$/.exec(message) ?? []
  if (size !== undefined) return `must be at ${size === 'big' ? 'most' : 'least'} ${bound}`
  if (message === 'Too small: expected string to have >=1 characters') return 'must not be empty'
  return message.replace(/^./, (first) => first.toLowerCase())
}

const kinds: Readonly<Record<string, string>> = {
  string: 'a text',
  number: 'a number',
  int: 'a whole number',
  boolean: '`true` or `false`',
  array: 'a list',
  object: 'a mapping',
  record: 'a mapping',
  null: 'nothing',
}

function didYouMean(key: string, schema: z.ZodType | undefined): string | undefined {
  const near = nearestName(key, Object.keys(definitionOf(schema)?.shape ?? {}))
  return near === undefined ? undefined : `did you mean \`${near}\`?`
}

/** What this file looks at inside a zod schema (zod 4, `schema.def`). */
interface Definition {
  readonly innerType?: z.ZodType
  readonly in?: z.ZodType
  readonly shape?: Readonly<Record<string, z.ZodType>>
  readonly element?: z.ZodType
  readonly valueType?: z.ZodType
}

/** The schema of a member; `undefined` where it depends on the value (unions). */
function schemaAt(schema: z.ZodType, path: readonly PropertyKey[]): z.ZodType | undefined {
  let found: z.ZodType | undefined = schema
  for (const step of path) {
    const definition = definitionOf(found)
    found = definition?.shape?.[String(step)] ?? definition?.element ?? definition?.valueType
  }
  return found
}

function definitionOf(schema: z.ZodType | undefined): Definition | undefined {
  // zod types definitions per class; these members are common to the classes that hold other schemas
  const definition = schema?.def as Definition | undefined
  const inner = definition?.innerType ?? definition?.in
  return inner ? definitionOf(inner) : definition
}
