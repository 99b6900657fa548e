import type { z } from 'zod'
import type { Problems, SourceDocument } from '../../kit/problems.ts'
import { parseWith } from '../../kit/schema.ts'
import { type AlphaOptions, alphaOptionsSchema } from './alpha-options.ts'

/**
 * Reads a parsed alpha file: keys match in any case, what is empty takes its default, everything unknown or of another
 * type is a problem (oauth2-proxy pkg/apis/options/load.go `LoadYAML`). `undefined` where there is one.
 */
export function readAlpha({ value, source }: SourceDocument, problems: Problems): AlphaOptions | undefined {
  return parseWith(alphaOptionsSchema, respelled(value, alphaOptionsSchema), { source, problems })
}

/** What this file looks at inside a zod schema (zod 4, `schema.def`). */
interface Definition {
  readonly innerType?: z.ZodType
  readonly shape?: Readonly<Record<string, z.ZodType>>
  readonly element?: z.ZodType
}

/** The value with the schema's spelling of its keys (Go matches them in any case), and without what is `null`. */
function respelled(value: unknown, schema: z.ZodType | undefined): unknown {
  // zod types definitions per class; these members are common to the classes that hold other schemas
  const { innerType, shape, element } = (schema?.def ?? {}) as Definition
  if (innerType) return respelled(value, innerType)
  if (Array.isArray(value)) return value.map((item) => respelled(item, element))
  if (typeof value !== 'object' || value === null || !shape) return value
  const names = new Map(Object.keys(shape).map((name) => [name.toLowerCase(), name]))
  return Object.fromEntries(
    Object.entries(value).flatMap(([key, member]) => {
      const name = names.get(key.toLowerCase()) ?? key
      return member === null ? [] : [[name, respelled(member, shape[name])]]
    }),
  )
}
