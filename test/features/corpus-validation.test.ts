import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { parse } from 'yaml'
import { namedSource, Problems } from '../../src/kit/problems.ts'
import { parseAuthorizationPolicy } from '../../src/policy/authorization-policy.ts'
import { Reader } from '../../src/policy/reader.ts'
import { parseRequestAuthentication } from '../../src/policy/request-authentication.ts'

interface Case {
  readonly name: string
  readonly kind: 'AuthorizationPolicy' | 'RequestAuthentication'
  readonly valid: boolean
  readonly spec: unknown
}

// a table of our own, written in this shape
const cases = parse(
  readFileSync(new URL('../corpus/validation/cases.yaml', import.meta.url), 'utf8'),
) as readonly Case[]

describe.each(['AuthorizationPolicy', 'RequestAuthentication'] as const)('%s', (kind) => {
  test.each(cases.filter((one) => one.kind === kind).map((one) => [one.name, one] as const))(
    '%s',
    (_, { valid, spec }) => {
      const problems = new Problems()
      const document = new Reader(
        { metadata: { name: 'p', namespace: 'istio-system' }, spec },
        namedSource('p.yaml'),
        problems,
      )
      if (kind === 'AuthorizationPolicy') parseAuthorizationPolicy(document, 'istio-system')
      else parseRequestAuthentication(document, 'istio-system')
      const errors = problems.list.filter(({ severity }) => severity === 'error').map(({ message }) => message)
      if (valid) expect(errors).toEqual([])
      else expect(errors).not.toEqual([])
    },
  )
})
