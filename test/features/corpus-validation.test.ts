import { describe, expect, test } from 'vitest'
import { parseIngress } from '../../src/gateway/ingress.ts'
import { parseVirtualService } from '../../src/gateway/parse-virtual-service.ts'
import { namedSource, Problems } from '../../src/kit/problems.ts'
import { parseAuthorizationPolicy } from '../../src/policy/authorization-policy.ts'
import { Reader } from '../../src/policy/reader.ts'
import { parseRequestAuthentication } from '../../src/policy/request-authentication.ts'
import { readValidationCases, type ValidationCase } from '../corpus/validation/read-cases.ts'

const parsers = {
  AuthorizationPolicy: parseAuthorizationPolicy,
  RequestAuthentication: parseRequestAuthentication,
  VirtualService: parseVirtualService,
  Gateway: parseIngress,
}
const kinds = Object.keys(parsers) as (keyof typeof parsers)[] // its own keys
const cases = readValidationCases()

describe.each(kinds)('%s', (kind) => {
  test.each(cases.filter((one) => one.kind === kind).map((one) => [titleOf(one), one] as const))('%s', (_, one) => {
    const problems = new Problems()
    const resource = { metadata: { name: 'p', namespace: 'istio-system' }, spec: one.spec }
    parsers[kind](new Reader(resource, namedSource('p.yaml'), problems), 'istio-system')
    const errors = problems.list.filter(({ severity }) => severity === 'error').map(({ message }) => message)
    if (loads(one)) expect(errors).toEqual([])
    else expect(errors).not.toEqual([])
  })
})

function loads({ valid, refusedHere, acceptedHere }: ValidationCase): boolean {
  return valid ? refusedHere === undefined : acceptedHere !== undefined
}

function titleOf({ name, refusedHere, acceptedHere }: ValidationCase): string {
  const why = refusedHere ?? acceptedHere
  return why === undefined ? name : `${name}, unlike Istio: ${why}`
}
