import { z } from 'zod'
import { parseGoDuration } from '../../kit/duration.ts'

/** A text; empty where it is not given, as in Go. */
export const text = z.string().default('')
/** A list of texts. */
export const list = z.array(z.string()).default([])
/** A switch with its default. */
export const flag = (byDefault = false) => z.boolean().default(byDefault)

/**
 * A time in milliseconds: a Go duration, a fraction in seconds or a whole number of nanoseconds (oauth2-proxy
 * pkg/apis/options/hooks.go).
 */
export const duration = (byDefault: string) =>
  z
    .union([z.string(), z.number()], 'must be a Go duration such as `30s`')
    .transform((value, context) => {
      if (typeof value === 'number') return Number.isInteger(value) ? value / 1e6 : value * 1000
      const milliseconds = parseGoDuration(value)
      if (milliseconds !== undefined) return milliseconds
      context.addIssue({ code: 'custom', message: `must be a Go duration such as \`30s\`, got \`${value}\`` })
      return z.NEVER
    })
    .prefault(byDefault)
