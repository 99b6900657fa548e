import { expect, test } from 'vitest'
import { type AlphaInput, alphaOptionsSchema } from './alpha/alpha-options.ts'
import { compileInjectedHeaders } from './inject-headers.ts'
import type { Session } from './session.ts'

const ada: Session = {
  createdAt: 1_700_000_000_000,
  user: 'abc',
  email: 'ada@example.com',
  groups: ['admins', 'a,b', 'users'],
  idToken: 'id.token',
  additionalClaims: { tenant: 'acme', roles: ['r1', 'r2'], level: 3 },
}

type Headers = NonNullable<AlphaInput['injectResponseHeaders']>

function injected(headers: Headers, session: Session | undefined = ada): string[] {
  return compileInjectedHeaders(alphaOptionsSchema.parse({ injectResponseHeaders: headers }).injectResponseHeaders)(
    session,
  )
}

const claim = (name: string, more = {}) => ({ claimSource: { claim: name, ...more } })

test('claims, prefixed claims and secrets of one header are joined by commas', () => {
  const values = [claim('email'), claim('id_token', { prefix: 'Bearer ' }), { secretSource: { value: 'shared' } }]
  expect(injected([{ name: 'X-All', values }])).toEqual(['x-all', 'ada@example.com,Bearer id.token,shared'])
})

test('a group with a comma in it, which would read as two, is left out', () => {
  expect(injected([{ name: 'X-Groups', values: [claim('groups')] }])).toEqual(['x-groups', 'admins,users'])
})

test('basicAuthPassword makes credentials of the claim', () => {
  const [, value = ''] = injected([
    { name: 'Authorization', values: [claim('user', { prefix: 'Basic ', basicAuthPassword: { value: 'p:w' } })] },
  ])
  expect(Buffer.from(value.replace('Basic ', ''), 'base64').toString()).toBe('abc:p:w')
})

test('additional claims are texts, lists or JSON', () => {
  expect(
    injected([
      { name: 'X-Tenant', values: [claim('tenant')] },
      { name: 'X-Roles', values: [claim('roles')] },
      { name: 'X-Level', values: [claim('level')] },
    ]),
  ).toEqual(['x-tenant', 'acme', 'x-roles', 'r1,r2', 'x-level', '3'])
})

test('a header whose claims are all missing is not sent, a secret is sent to everybody', () => {
  const headers: Headers = [
    { name: 'X-Name', values: [claim('preferred_username')] },
    { name: 'X-Secret', values: [{ secretSource: { value: 'shared' } }] },
  ]
  expect(injected(headers)).toEqual(['x-secret', 'shared'])
  expect(
    compileInjectedHeaders(alphaOptionsSchema.parse({ injectResponseHeaders: headers }).injectResponseHeaders)(
      undefined,
    ),
  ).toEqual(['x-secret', 'shared'])
})

test('a value that would end its header is not sent', () => {
  expect(injected([{ name: 'X-User', values: [claim('user')] }], { ...ada, user: 'a\r\nx-admin: 1' })).toEqual([])
})
