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
        problems.error(source, [...path, key], `unknown key \`${key}\``, didYouMean(key, schema))
      continue
    }
    problems.error(
      source,
      path,
      issue.message.replace(/^./, (first) => first.toLowerCase()),
    )
  }
  return undefined
}

function didYouMean(key: string, schema: z.ZodType): string | undefined {
  const shape = (schema as { shape?: Record<string, unknown> }).shape
  const near = shape && nearestName(key, Object.keys(shape))
  return near === undefined ? undefined : `did you mean \`${near}\`?`
}
