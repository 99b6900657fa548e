import { z } from 'zod'
import { parseGoDuration } from '../kit/duration.ts'

/** A setting that is a Go duration (`24h`, `1m30s`); parsed to milliseconds. */
export function goDuration(byDefault: string) {
  return z
    .string()
    .transform((text, context) => {
      const milliseconds = parseGoDuration(text)
      if (milliseconds !== undefined && milliseconds >= 0) return milliseconds
      context.addIssue({
        code: 'custom',
        message: `must be a Go duration such as \`24h\` or \`1m30s\`, got \`${text}\``,
      })
      return z.NEVER
    })
    .prefault(byDefault)
}
