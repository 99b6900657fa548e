import { readdirSync, readFileSync } from 'node:fs'
import { parse } from 'yaml'
import { z } from 'zod'

const caseSchema = z.strictObject({
  name: z.string(),
  kind: z.enum(['AuthorizationPolicy', 'RequestAuthentication', 'VirtualService', 'Gateway']),
  /** Whether Istio accepts it. */
  valid: z.boolean(),
  /** Why Gatehouse refuses what Istio accepts. */
  refusedHere: z.string().optional(),
  /** Why Gatehouse loads what Istio refuses. */
  acceptedHere: z.string().optional(),
  spec: z.unknown(),
})

export type ValidationCase = z.infer<typeof caseSchema>

/** Every case of every table here. */
export function readValidationCases(): readonly ValidationCase[] {
  const directory = new URL('.', import.meta.url)
  const names = readdirSync(directory).filter((name) => name.endsWith('.yaml'))
  return names.flatMap((name) => z.array(caseSchema).parse(parse(readFileSync(new URL(name, directory), 'utf8'))))
}
