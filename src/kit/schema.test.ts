import { expect, test } from 'vitest'
import { z } from 'zod'
import { formatProblem, namedSource, Problems } from './problems.ts'
import { parseWith } from './schema.ts'

const schema = z.strictObject({
  clients: z.array(z.strictObject({ clientId: z.string() })).default([]),
  roles: z.record(z.string(), z.strictObject({ composite: z.boolean().optional() })).optional(),
})

test('a misspelt key is told with the nearest key of the object it stands in', () => {
  const problems = new Problems()
  const value = { client: [], clients: [{ clientId: 'a', clientID: 'b' }], roles: { admin: { composit: true } } }
  expect(parseWith(schema, value, { source: namedSource('f'), problems })).toBeUndefined()
  expect(problems.list.map(formatProblem)).toEqual([
    'f: error: clients[0].clientID: unknown key `clientID`; did you mean `clientId`?',
    'f: error: roles.admin.composit: unknown key `composit`; did you mean `composite`?',
    'f: error: client: unknown key `client`; did you mean `clients`?',
  ])
})
