import type { z } from 'zod'
import { type DocumentPath, nearestName, type Problems, type Source } from '../kit/problems.ts'

interface Place {
  readonly source: Source
  readonly problems: Problems
  readonly path?: DocumentPath
}

/** What this reader looks at inside a zod schema (zod 4, `schema.def`). */
interface SchemaDefinition {
  readonly type: string
  readonly innerType?: z.ZodType
  readonly in?: z.ZodType
  readonly shape?: Readonly<Record<string, z.ZodType>>
  readonly element?: z.ZodType
  readonly options?: readonly z.ZodType[]
  readonly discriminator?: string
}

/**
 * Brings a value into the spelling of `schema` the way Go's JSON decoder would: keys match in any case, `null` is
 * absent, a number or boolean where text is wanted becomes that text, and unknown keys are left out, with a warning
 * that names the nearest known one. Nothing else is checked here.
 */
export function readLeniently(value: unknown, schema: z.ZodType, place: Place): unknown {
  const { definition, schema: core } = unwrap(schema)
  if (definition.type === 'string' || definition.type === 'enum') return asText(value)
  if (definition.type === 'array' && definition.element && Array.isArray(value)) {
    const { element } = definition
    return value.map((item, index) => readLeniently(item, element, at(place, index)))
  }
  if (definition.type === 'union' && definition.options) {
    const option = chooseOption(value, definition)
    return option ? readLeniently(value, option, place) : value
  }
  if (definition.type === 'object' && definition.shape && isObject(value))
    return readObject(value, definition.shape, place)
  return core === undefined ? undefined : value
}

function readObject(value: object, shape: Readonly<Record<string, z.ZodType>>, place: Place): Record<string, unknown> {
  const known = Object.keys(shape)
  const read: Record<string, unknown> = {}
  for (const [key, member] of Object.entries(value)) {
    const name = known.find((one) => one === key) ?? known.find((one) => one.toLowerCase() === key.toLowerCase())
    const schema = name === undefined ? undefined : shape[name]
    if (name === undefined || schema === undefined) {
      warnUnknown(key, known, place)
      continue
    }
    if (member === null || member === undefined) continue
    read[name] = readLeniently(member, schema, at(place, key))
  }
  return read
}

function warnUnknown(key: string, known: readonly string[], { source, problems, path = [] }: Place): void {
  const near = nearestName(key, known)
  const fix = near === undefined ? undefined : `did you mean \`${near}\`?`
  problems.warn(source, [...path, key], `unknown key \`${key}\` is ignored, as Dex does`, fix)
}

/** The option of a union of objects whose discriminator (`type`) the value carries. */
function chooseOption(value: unknown, { options = [], discriminator }: SchemaDefinition): z.ZodType | undefined {
  if (!isObject(value) || discriminator === undefined) return undefined
  const found = Object.entries(value).find(([key]) => key.toLowerCase() === discriminator.toLowerCase())?.[1]
  return options.find((option) => {
    const tag = unwrap(option).definition.shape?.[discriminator]
    return tag?.safeParse(found).success
  })
}

function unwrap(schema: z.ZodType): { schema: z.ZodType; definition: SchemaDefinition } {
  // zod's definitions are typed per class; these members are common to the classes this reader knows
  const definition = schema.def as unknown as SchemaDefinition
  if (definition.innerType) return unwrap(definition.innerType)
  if (definition.type === 'pipe' && definition.in) return unwrap(definition.in)
  return { schema, definition }
}

function asText(value: unknown): unknown {
  return typeof value === 'number' || typeof value === 'boolean' ? String(value) : value
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function at(place: Place, step: string | number): Place {
  return { ...place, path: [...(place.path ?? []), step] }
}
