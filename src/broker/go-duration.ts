import { z } from 'zod'
import { parseGoDuration } from '../kit/duration.ts'

/** A setting that is a Go duration (`24h`, `1m30s`) of at least `least` milliseconds; parsed to milliseconds. */
export function goDuration(byDefault: string, { least = 0 }: { least?: number } = {}) {
  return z
    .string()
    .transform((text, context) => {
      const milliseconds = parseGoDuration(text)
      if (milliseconds !== undefined && milliseconds >= least) return milliseconds
      const kind = milliseconds === undefined || milliseconds < 0 ? '' : ` of at least ${least / 1000}s`
      context.addIssue({
        code: 'custom',
        message: `must be a Go duration${kind} such as \`24h\` or \`1m30s\`, got \`${text}\``,
      })
      return z.NEVER
    })
    .prefault(byDefault)
}
